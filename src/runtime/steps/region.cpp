// Fused regions: tile after tile, instruction after instruction.
#include <algorithm>

#include "runtime/steps/each_even.h"
#include "runtime/steps/kernels.h"

namespace taugrad::runtime {
namespace {

using kernels::kTile;

/// Runs a program: `streams` are the places in the table of pointers that it reads and writes.
template <class S>
class Tiles {
 public:
  Tiles(const plan::RegionProgram<S>& program, std::int32_t number, Worker<S>& worker)
      : program_(program),
        streams_(program.apart.size()),
        tables_(worker.tables),
        pointers_(worker.tables.of(number)) {
    fixed_ = program.registers + program.constants.size();
    stream_ = pointers_ + fixed_;
  }

  /// Instances whose streams are rows without gaps: those of the first, then those of the second.
  void run_kept(S* const* streams, std::int64_t count, std::int64_t elements) {
    if (count == 1 && elements <= kTile) {
      for (std::size_t k = 0; k < streams_; ++k) stream_[k] = streams[k];
      return run_tile(elements);
    }
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t from = 0; from < elements; from += kTile) {
        for (std::size_t k = 0; k < streams_; ++k)
          stream_[k] = streams[k] + from +
                       (i == 0 ? 0 : i * elements_between(streams[k], streams[streams_ + k]));
        run_tile(std::min(kTile, elements - from));
      }
  }

  /// Rows first..last-1 of an instance.
  void run_rows(const RowSource<S>* sources, std::int64_t first, std::int64_t last,
                std::int64_t elements) {
    sources_ = sources;
    elements_ = elements;
    if (elements == 0) return;
    if (program_.elements == 0 && last - first > 1 && can_join(last))
      run_joined(first, last);
    else
      for (row_ = first; row_ < last; ++row_) run_row();
  }

 private:
  S* tile_of_stream(std::size_t k) { return tables_.tile(program_, program_.registers + k); }

  /// Whether all rows are one long row: what is element by element has no gaps, or is the same in
  /// all rows and short.
  bool can_join(std::int64_t last) const {
    for (std::size_t k = 0; k < streams_; ++k) {
      const RowSource<S>& s = sources_[k];
      if (program_.apart[k] != 0) continue;
      if (s.rows < last || (s.stride != elements_ && (s.stride != 0 || elements_ > kTile)))
        return false;
    }
    return true;
  }

  /// A tile has whole rows where a stream is the same in all of them: that is written once.
  void run_joined(std::int64_t first, std::int64_t last) {
    bool repeats = false;
    const std::int64_t whole = kTile / elements_ * elements_;  // 0: none repeats

    for (std::size_t k = 0; k < streams_; ++k) {
      if (program_.apart[k] != 0 || sources_[k].stride != 0) continue;
      repeats = true;
      stream_[k] = tile_of_stream(k);
      std::copy_n(sources_[k].data, elements_, stream_[k]);
      for (std::int64_t done = elements_; done < whole; done *= 2)  // rows of a few elements
        std::copy_n(stream_[k], std::min(done, whole - done), stream_[k] + done);
    }
    const std::int64_t tile = repeats ? whole : kTile;
    const std::int64_t end = last * elements_;
    for (std::int64_t i = first * elements_; i < end; i += tile) {
      row_ = i / elements_;
      place_ = i % elements_;
      for (std::size_t k = 0; k < streams_; ++k)
        if (program_.apart[k] == 0 && sources_[k].stride != 0) stream_[k] = sources_[k].data + i;
      run_tile(std::min(tile, end - i));
    }
  }

  void run_row() {
    for (const plan::Instruction<S>& line : program_.code)
      if (line.kind == Kind::sum || line.kind == Kind::dot)
        std::fill_n(row_of(line.out - fixed_), program_.patterns[line.pattern].elements(), S(0));
    for (place_ = 0; place_ < elements_; place_ += program_.tile) {
      for (std::size_t k = 0; k < streams_; ++k) {
        if (program_.apart[k] != 0) continue;
        stream_[k] =
            row_ < sources_[k].rows ? row_of(k) + place_ : const_cast<S*>(kZeros);  // only read
      }
      run_tile(std::min(program_.tile, elements_ - place_));
    }
  }
  S* row_of(std::size_t k) const { return sources_[k].data + row_ * sources_[k].stride; }

  void run_tile(std::int64_t n) {
    S* const* p = pointers_;
    for (const plan::Instruction<S>& line : program_.code) {
      if (line.kind == Kind::tile)
        line.function(p[line.a], p[line.b], p[line.c], p[line.out], n, line.lo, line.hi);
      else
        run_apart(line, n);
    }
  }

  void run_apart(const plan::Instruction<S>& line, std::int64_t n) {
    S* const* p = pointers_;
    const auto& functions = program_.functions;
    switch (line.kind) {
      case Kind::spread:
        return spread(line, n);
      case Kind::product:
        return functions.product(operand(line.a, line.of_a), operand(line.b, line.of_b),
                                 line.op == kernels::TileOp::add ? p[line.c] : nullptr,
                                 line.from_zero, place_, n, p[line.out]);
      case Kind::sum:
        return functions.sum(program_.patterns[line.pattern], {p[line.a]}, {}, place_, n,
                             row_of(line.out - fixed_));
      default:
        return functions.sum(program_.patterns[line.pattern], operand(line.a, line.of_a),
                             operand(line.b, line.of_b), place_, n, row_of(line.out - fixed_));
    }
  }

  /// A factor of a product; beyond the rows of its stream it is zero.
  kernels::TileOperand<S> operand(std::uint16_t place, std::uint16_t by) const {
    static constexpr kernels::Pattern kNumber{{}, {}, 1};
    if (by == plan::Instruction<S>::kTiles) return {pointers_[place]};
    const std::size_t k = place - fixed_;
    if (row_ >= sources_[k].rows) return {kZeros, &kNumber};
    return {row_of(k), &program_.patterns[by]};
  }

  void spread(const plan::Instruction<S>& line, std::int64_t n) {
    S* const out = pointers_[line.out];
    const std::size_t k = line.a - fixed_;
    const std::int64_t held = std::max<std::int64_t>(sources_[k].rows - row_, 0) * elements_;
    const std::int64_t known = std::min(n, held - std::min(place_, held));
    program_.functions.spread(program_.patterns[line.pattern], row_of(k), sources_[k].stride,
                              elements_, place_, known, out);
    std::fill_n(out + known, n - known, S(0));
  }

  using Kind = typename plan::Instruction<S>::Kind;
  static constexpr S kZeros[kernels::kLargeTile] = {};
  const plan::RegionProgram<S>& program_;
  std::size_t streams_, fixed_ = 0;
  TileTables<S>& tables_;
  S** pointers_;          // what instructions name
  S** stream_ = nullptr;  // of them those of the streams
  // of the instance at hand, and where its tile begins
  const RowSource<S>* sources_ = nullptr;
  std::int64_t elements_ = 0, row_ = 0, place_ = 0;
};

/// An instance of a region: the values of its streams, and the worker's rows.
struct Instance {
  std::span<const ValueId> values;
  RowRange range;
  std::int64_t elements;
  bool empty() const { return range.first >= range.last || elements <= 0; }
};

template <class S>
Instance instance_of(const Step<S>& step, std::uint32_t operand, const Runtime<S>& machine,
                     Worker<S>& worker) {
  const plan::RegionProgram<S>& program =
      machine.plan().programs[static_cast<std::size_t>(step.program)];
  const auto values = machine.plan().operands.part(step.first_operand + operand,
                                                   program.apart.size(), worker.values);
  const Value result = machine.place(values[program.result]);
  return {values, machine.range(result.extent, step, worker),
          program.elements > 0 ? program.elements : result.elements};
}

template <class S>
RowSource<S> source_of(const Runtime<S>& machine, ValueId id, RowRange range) {
  const Value& v = machine.place(id);
  return {machine.data(v), v.stride, v.extent == kShared ? range.last : machine.rows(v.extent)};
}

/// The addresses of the streams of an instance where their rows are one long row.
template <class S>
bool keep(const plan::RegionProgram<S>& program, const Runtime<S>& machine,
          std::span<const ValueId> values, RowRange range, std::int64_t elements,
          std::vector<S*>& to) {
  to.clear();
  for (std::size_t k = 0; k < values.size(); ++k) {
    const RowSource<S> s = source_of(machine, values[k], range);
    const bool without_gaps = s.stride == elements || range.last == 1;
    if (program.apart[k] != 0 || s.rows < range.last || !without_gaps) return false;
    to.push_back(s.data + range.first * elements);
  }
  return true;
}

template <class S>
bool only_tiles(const plan::RegionProgram<S>& program) {
  return std::ranges::all_of(program.code, [](const plan::Instruction<S>& line) {
    return line.kind == plan::Instruction<S>::Kind::tile;
  });
}

}  // namespace

template <class S>
void Kernels<S>::tile(const Known& known, const Runtime<S>& machine, const Worker<S>& worker) {
  S* const* const p = worker.ready.tables.data() + known.first;
  const auto n = static_cast<std::int64_t>(known.count);
  for (const auto& line : machine.plan().programs[static_cast<std::size_t>(known.program)].code)
    line.function(p[line.a], p[line.b], p[line.c], p[line.out], n, line.lo, line.hi);
}

template <class S>
void Kernels<S>::tiles(const Known& known, Runtime<S>& machine, Worker<S>& worker) {
  const AddressCache<S>& ready = worker.ready;
  const plan::RegionProgram<S>& program =
      machine.plan().programs[static_cast<std::size_t>(known.program)];
  Tiles<S> tiles(program, known.program, worker);
  for (const auto& i : std::span(ready.instances).subspan(known.first, known.count))
    tiles.run_kept(ready.streams.data() + i.first, i.count, i.elements);
}

template <class S>
void Kernels<S>::rows(const Known& known, Runtime<S>& machine, Worker<S>& worker) {
  const AddressCache<S>& ready = worker.ready;
  const plan::RegionProgram<S>& program =
      machine.plan().programs[static_cast<std::size_t>(known.program)];
  Tiles<S> tiles(program, known.program, worker);
  const std::size_t streams = program.apart.size();
  for (const auto& i : std::span(ready.regions).subspan(known.first, known.count)) {
    const RowSource<S>* const first = ready.sources.data() + i.source;
    tiles.run_rows(first, i.first, i.last, i.elements);
    if (i.count == 1) continue;
    worker.sources.assign(first, first + streams);
    for (std::uint32_t n = 1; n < i.count; ++n) {
      for (std::size_t k = 0; k < streams; ++k)
        worker.sources[k].data += elements_between(first[k].data, first[streams + k].data);
      tiles.run_rows(worker.sources.data(), i.first, i.last, i.elements);
    }
  }
}

/// The streams of all instances, where all are rows without gaps.
template <class S>
typename AddressCache<S>::Step Kernels<S>::find_tiles(const Step<S>& step, Runtime<S>& machine,
                                                      Worker<S>& worker) {
  const plan::RegionProgram<S>& program =
      machine.plan().programs[static_cast<std::size_t>(step.program)];
  AddressCache<S>& ready = worker.ready;
  const std::size_t first = ready.instances.size(), first_stream = ready.streams.size();
  bool all = true;
  const auto add = [&](std::uint32_t i) {
    if (!all) return false;
    const Instance x = instance_of(step, i, machine, worker);
    if (x.empty()) return false;
    all = keep(program, machine, x.values, x.range, x.elements, worker.kept);
    return all && ready.add(worker.kept, (x.range.last - x.range.first) * x.elements, first);
  };
  const auto streams = static_cast<std::uint32_t>(program.apart.size());
  each_even_instance(step, streams, machine, add,
                     [&](std::uint32_t times) { ready.repeat_instance(times); });
  if (!all) {
    ready.instances.resize(first);
    ready.streams.resize(first_stream);
    return find_rows(step, machine, worker);
  }
  ready.join(program.apart.size(), first);
  const bool one = ready.instances.size() == first + 1 && ready.instances[first].count == 1 &&
                   ready.instances[first].elements <= kTile;
  if (one && !machine.far() && only_tiles(program))
    return machine.plan().steps.size() <= AddressCache<S>::kShortScript
               ? keep_lines(step, machine, worker)
               : keep_table(step, machine, worker);
  return {AddressCache<S>::Kind::tiles, step.program, static_cast<std::uint32_t>(first),
          static_cast<std::uint32_t>(ready.instances.size() - first)};
}

/// The last instance that was found gets a table of its own: filling one in takes as long as a
/// small region.
template <class S>
typename AddressCache<S>::Step Kernels<S>::keep_table(const Step<S>& step,
                                                      const Runtime<S>& machine,
                                                      Worker<S>& worker) {
  const plan::RegionProgram<S>& program =
      machine.plan().programs[static_cast<std::size_t>(step.program)];
  AddressCache<S>& ready = worker.ready;
  const auto instance = ready.instances.back();
  const std::size_t first = ready.tables.size();
  S* const* const fixed = worker.tables.of(step.program);
  ready.tables.insert(ready.tables.end(), fixed,
                      fixed + program.registers + program.constants.size());
  const std::span streams = std::span(ready.streams).subspan(instance.first, program.apart.size());
  ready.tables.insert(ready.tables.end(), streams.begin(), streams.end());
  ready.instances.pop_back();
  ready.streams.resize(instance.first);
  return {AddressCache<S>::Kind::tile, step.program, static_cast<std::uint32_t>(first),
          static_cast<std::uint32_t>(instance.elements)};
}

template <class S>
typename AddressCache<S>::Step Kernels<S>::find_rows(const Step<S>& step, Runtime<S>& machine,
                                                     Worker<S>& worker) {
  AddressCache<S>& ready = worker.ready;
  const std::size_t first = ready.regions.size();
  const auto add = [&](std::uint32_t i) {
    const Instance x = instance_of(step, i, machine, worker);
    if (x.empty()) return false;
    worker.sources.clear();
    for (const ValueId id : x.values) worker.sources.push_back(source_of(machine, id, x.range));
    return ready.add(worker.sources, {x.range.first, x.range.last, x.elements}, first);
  };
  const auto& program = machine.plan().programs[static_cast<std::size_t>(step.program)];
  each_even_instance(step, static_cast<std::uint32_t>(program.apart.size()), machine, add,
                     [&](std::uint32_t times) { ready.repeat_region(times); });
  return {AddressCache<S>::Kind::rows, step.program, static_cast<std::uint32_t>(first),
          static_cast<std::uint32_t>(ready.regions.size() - first)};
}

// the members that are defined here
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::runtime
