// Fused regions: tile after tile, instruction after instruction.
#include <algorithm>

#include "runtime/kernels.h"

namespace taugrad::runtime {
namespace {

using kernels::kTile;
constexpr std::int64_t kSpacing = kTile + 16;  // tiles do not lie 4 KiB apart

template <class S>
class Instance {
 public:
  Instance(const plan::RegionProgram<S>& program, const S* constants, Worker<S>& worker)
      : program_(program), streams_(program.splat.size()), worker_(worker) {
    const std::size_t fixed = program.registers + program.constants.size();
    worker.tiles.resize(
        std::max(worker.tiles.size(), (program.registers + streams_) * std::size_t{kSpacing}));
    worker.pointers.resize(std::max(worker.pointers.size(), fixed + streams_));
    for (std::size_t i = 0; i < program.registers; ++i)
      worker.pointers[i] = worker.tiles.data() + i * kSpacing;
    for (std::size_t i = 0; i < program.constants.size(); ++i)  // only read
      worker.pointers[program.registers + i] = const_cast<S*>(constants + i * kTile);
    stream_ = worker.pointers.data() + fixed;
    sources_.resize(streams_);
  }

  /// Finds the streams; whether their rows follow one another without gaps: one long row.
  bool find(const Runtime<S>& machine, std::span<const ValueId> values, RowRange range) {
    const std::int64_t elements = machine.place(values[program_.result]).elements;
    bool flat = true;
    for (std::size_t i = 0; i < streams_; ++i) {
      const Value& v = machine.place(values[i]);
      sources_[i] = {machine.data(values[i]), v.stride,
                     v.extent == kShared ? range.last : machine.rows(v.extent)};
      const bool one = elements == 1 && v.stride == 0;  // the same number for all rows
      flat = flat && program_.splat[i] == 0 && sources_[i].rows >= range.last &&
             (v.stride == elements || one || range.last == 1);
    }
    return flat;
  }
  void run(const Runtime<S>& machine, std::span<const ValueId> values, RowRange range) {
    const std::int64_t elements = machine.place(values[program_.result]).elements;
    const bool flat = find(machine, values, range);
    if (range.first >= range.last || elements == 0) return;
    if (flat)
      run_flat(elements, range);
    else
      run_rows(elements, range);
  }

  /// The addresses of the streams where their rows are one long row without anything to spread.
  bool keep(const Runtime<S>& machine, std::span<const ValueId> values, RowRange range,
            std::vector<S*>& to) {
    if (!find(machine, values, range)) return false;
    const std::int64_t elements = machine.place(values[program_.result]).elements;
    to.clear();
    for (std::size_t k = 0; k < streams_; ++k) {
      if (range.last > 1 && sources_[k].stride == 0) return false;
      to.push_back(sources_[k].data + range.first * elements);
    }
    return true;
  }
  /// Instances whose streams are known: those of the first, then those of the second.
  void run_kept(S* const* streams, std::int64_t count, std::int64_t elements) {
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t from = 0; from < elements; from += kTile) {
        for (std::size_t k = 0; k < streams_; ++k)
          stream_[k] = streams[k] + from +
                       (i == 0 ? 0 : i * elements_between(streams[k], streams[streams_ + k]));
        run_tile(std::min(kTile, elements - from));
      }
  }

 private:
  void run_flat(std::int64_t elements, RowRange range) {
    const std::int64_t last = range.last * elements;
    for (std::int64_t i = range.first * elements; i < last; i += kTile) {
      for (std::size_t k = 0; k < streams_; ++k)
        stream_[k] = range.last > 1 && sources_[k].stride == 0 ? spread(k) : sources_[k].data + i;
      run_tile(std::min(kTile, last - i));
    }
  }
  /// A tile of one number, elements being single: rows of shared leaves have stride 0.
  S* spread(std::size_t k) {
    S* tile = worker_.tiles.data() + (program_.registers + k) * std::size_t{kSpacing};
    std::fill_n(tile, kTile, *sources_[k].data);
    return tile;
  }

  void run_rows(std::int64_t elements, RowRange range) {
    for (std::int64_t r = range.first; r < range.last; ++r)
      for (std::int64_t i = 0; i < elements; i += kTile) {
        for (std::size_t k = 0; k < streams_; ++k) {
          const Source<S>& s = sources_[k];
          stream_[k] = r < s.rows ? s.data + r * s.stride + (program_.splat[k] != 0 ? 0 : i)
                                  : const_cast<S*>(kZeros);  // only read
        }
        run_tile(std::min(kTile, elements - i));
      }
  }

  void run_tile(std::int64_t n) {
    S* const* p = worker_.pointers.data();
    for (const plan::Instruction<S>& line : program_.code) {
      if (line.function != nullptr)
        line.function(p[line.a], p[line.b], p[line.c], p[line.out], n, line.lo, line.hi);
      else
        std::fill_n(p[line.out], n, *p[line.a]);
    }
  }

  static constexpr S kZeros[kTile] = {};
  const plan::RegionProgram<S>& program_;
  std::size_t streams_;
  Worker<S>& worker_;
  S** stream_ = nullptr;  // the pointers of the streams
  std::vector<Source<S>>& sources_ = worker_.sources;
};

}  // namespace

template <class S>
void Kernels<S>::tiles(const Known& known, Runtime<S>& machine, Worker<S>& worker) {
  const AddressCache<S>& ready = worker.ready;
  const plan::RegionProgram<S>& program =
      machine.plan().programs[static_cast<std::size_t>(known.program)];
  Instance<S> instance(program, machine.constants(known.program), worker);
  for (const auto& i : std::span(ready.instances).subspan(known.first, known.count))
    instance.run_kept(ready.streams.data() + i.first, i.count, i.elements);
}

template <class S>
void Kernels<S>::region(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker) {
  const plan::RegionProgram<S>& program =
      machine.plan().programs[static_cast<std::size_t>(step.program)];
  Instance<S> instance(program, machine.constants(step.program), worker);
  const auto streams = static_cast<std::uint32_t>(program.splat.size());
  for (std::uint32_t i = 0; i < step.operand_count; i += streams) {
    const auto values = std::span(machine.plan().operands).subspan(step.first_operand + i, streams);
    instance.run(machine, values,
                 machine.range(machine.place(values[program.result]).extent, step, worker));
  }
}

/// The streams of all instances, where all can be kept.
template <class S>
typename AddressCache<S>::Step Kernels<S>::find_tiles(const Step<S>& step, Runtime<S>& machine,
                                                      Worker<S>& worker) {
  const plan::RegionProgram<S>& program =
      machine.plan().programs[static_cast<std::size_t>(step.program)];
  Instance<S> instance(program, machine.constants(step.program), worker);
  const auto streams = static_cast<std::uint32_t>(program.splat.size());
  AddressCache<S>& ready = worker.ready;
  const std::size_t first = ready.instances.size(), first_stream = ready.streams.size();
  for (std::uint32_t i = 0; i < step.operand_count; i += streams) {
    const auto values = std::span(machine.plan().operands).subspan(step.first_operand + i, streams);
    const Value& result = machine.place(values[program.result]);
    const RowRange range = machine.range(result.extent, step, worker);
    const std::int64_t n = (range.last - range.first) * result.elements;
    if (n <= 0) continue;
    if (!instance.keep(machine, values, range, worker.kept)) {
      ready.instances.resize(first);
      ready.streams.resize(first_stream);
      return {AddressCache<S>::Kind::other};
    }
    ready.add(worker.kept, n, first);
  }
  ready.join(streams, first);
  return {AddressCache<S>::Kind::tiles, step.program, static_cast<std::uint32_t>(first),
          static_cast<std::uint32_t>(ready.instances.size() - first)};
}

// the members that are defined here
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::runtime
