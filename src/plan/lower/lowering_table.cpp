#include "plan/lower/lowering_table.h"

#include <algorithm>
#include <functional>

#include "graph/tables.h"
#include "plan/lower/row_ops.h"

namespace taugrad::plan {
namespace {

/// The number of `x` among those known, which it joins.
template <class T, class Same>
std::int64_t number_of(std::vector<T>& known, const T& x, const Same& same) {
  const auto found = std::ranges::find_if(known, [&](const T& k) { return same(k, x); });
  const std::int64_t number = found - known.begin();
  if (found == known.end()) known.push_back(x);
  return number;
}
template <class T>
std::int64_t number_of(std::vector<T>& known, const T& x) {
  return number_of(known, x, std::equal_to<T>());
}

// each record as a row, and back: the fields in one order

static_assert(sizeof(Step<float>) == 80 && sizeof(Value) == 40 && sizeof(Storage) == 40 &&
              sizeof(Job) == 16);  // a new field belongs in the rows

constexpr auto as_row(const Value& v) {
  return std::to_array<std::int64_t>({v.slot, v.shape, v.offset, v.stride, v.elements, v.extent});
}
void read_row(const std::int64_t* row, Value& v) {
  v = {static_cast<SlotId>(row[0]),  static_cast<std::uint32_t>(row[1]), row[2], row[3], row[4],
       static_cast<ExtentId>(row[5])};
}

constexpr auto as_row(const Storage& s) {
  return std::to_array<std::int64_t>(
      {s.elements, s.extent, s.name, s.leaf, s.forever, s.born, s.dies, s.instance, s.many});
}
void read_row(const std::int64_t* row, Storage& s) {
  s = {row[0],
       static_cast<ExtentId>(row[1]),
       static_cast<std::uint32_t>(row[2]),
       row[3] != 0,
       row[4] != 0,
       static_cast<std::int32_t>(row[5]),
       static_cast<std::int32_t>(row[6]),
       static_cast<std::int32_t>(row[7]),
       row[8] != 0};
}

constexpr auto as_row(const Slot& s) {
  return std::to_array<std::int64_t>({s.elements, s.name, s.outside, s.extent});
}
void read_row(const std::int64_t* row, Slot& s) {
  s = {row[0], static_cast<std::uint32_t>(row[1]), row[2] != 0, static_cast<ExtentId>(row[3])};
}

constexpr auto as_row(const Occupant& o) { return std::to_array<std::int64_t>({o.slot, o.extent}); }
void read_row(const std::int64_t* row, Occupant& o) {
  o = {static_cast<SlotId>(row[0]), static_cast<ExtentId>(row[1])};
}

template <class S>
Forward<S> own_rule(const Op& op) {
  if constexpr (std::is_same_v<S, float>)
    return op.forward.f32;
  else
    return op.forward.f64;
}
/// Whether a step with attributes, as along an axis, does not take rows as a whole.
template <class S>
bool by_own_rule(const Step<S>& s) {
  return s.op != nullptr && s.forward != forward_of<S>(*s.op, {});
}

/// The op's number, from which its function follows.
template <class S>
auto as_row(const Step<S>& s, Kinds<S>& kinds) {
  return std::to_array<std::int64_t>({static_cast<std::int64_t>(s.form),
                                      s.accumulate,
                                      s.transposed,
                                      s.out,
                                      s.first_operand,
                                      s.operand_count,
                                      s.each,
                                      s.first_job,
                                      s.job_count,
                                      s.carry,
                                      s.previous,
                                      s.more,
                                      s.pairs,
                                      s.panels,
                                      s.program,
                                      s.attrs,
                                      s.owner,
                                      s.extent,
                                      number_of(kinds.ops, s.op),
                                      by_own_rule(s)});
}
template <class S>
void read_row(const std::int64_t* row, Step<S>& s, const Kinds<S>& kinds) {
  s.form = static_cast<Form>(row[0]);
  s.accumulate = row[1] != 0;
  s.transposed = static_cast<std::uint8_t>(row[2]);
  s.out = static_cast<ValueId>(row[3]);
  s.first_operand = static_cast<std::uint32_t>(row[4]);
  s.operand_count = static_cast<std::uint32_t>(row[5]);
  s.each = static_cast<std::uint32_t>(row[6]);
  s.first_job = static_cast<std::uint32_t>(row[7]);
  s.job_count = static_cast<std::uint32_t>(row[8]);
  s.carry = static_cast<ValueId>(row[9]);
  s.previous = static_cast<std::int32_t>(row[10]);
  s.more = row[11] != 0;
  s.pairs = row[12] != 0;
  s.panels = static_cast<std::int32_t>(row[13]);
  s.program = static_cast<std::int32_t>(row[14]);
  s.attrs = static_cast<std::uint32_t>(row[15]);
  s.owner = static_cast<std::int32_t>(row[16]);
  s.extent = static_cast<ExtentId>(row[17]);
  s.op = kinds.ops[static_cast<std::size_t>(row[18])];
  s.forward = s.op == nullptr ? nullptr
              : row[19] != 0  ? own_rule<S>(*s.op)
                              : forward_of<S>(*s.op, {});
}

constexpr auto as_row(const Job& j) {
  return std::to_array<std::int64_t>({j.a, j.out, j.panels, j.accumulate});
}
void read_row(const std::int64_t* row, Job& j) {
  j = {static_cast<ValueId>(row[0]), static_cast<ValueId>(row[1]),
       static_cast<std::int32_t>(row[2]), row[3] != 0};
}

template <class T>
requires std::is_integral_v<T>
constexpr auto as_row(T x) { return std::array{static_cast<std::int64_t>(x)}; }
template <class T>
requires std::is_integral_v<T>
void read_row(const std::int64_t* row, T& x) { x = static_cast<T>(row[0]); }

// all other records name nothing
template <class T, class S>
auto as_row(const T& record, Kinds<S>&) {
  return as_row(record);
}
template <class T, class S>
void read_row(const std::int64_t* row, T& record, const Kinds<S>&) {
  read_row(row, record);
}

/// Calls body(table number, vector of records) for everything that the tables hold.
template <class Emitted, class Body>
void each_table(Emitted& e, const Body& body) {
  std::size_t number = 0;
  const auto visit = [&](auto&... records) { (body(number++, records), ...); };
  visit(e.plan.operands, e.plan.jobs, e.plan.values, e.storages, e.plan.slots, e.plan.occupants,
        e.plan.steps, e.plan.leaves, e.plan.leaf_values, e.plan.outputs, e.plan.operations,
        e.plan.used_extents);
}
constexpr std::size_t kOperands = 0, kJobs = 1, kLevels = kTables - 4, kAttrs = kTables - 3,
                      kOwners = kTables - 2, kPrograms = kTables - 1;

/// Beside each record of a step's list its place in the list: what comes again in one list does not
/// go on in the next.
template <class S>
void add_places(Tables& tables, const Plan<S>& plan) {
  const auto add = [&](std::size_t number, auto first, auto count) {
    Table& table = tables[number];
    Table wider(table.width + 1);
    for (const Step<S>& step : plan.steps)
      for (std::uint32_t i = 0; i < step.*count; ++i) {
        const std::int64_t* row = table.row(step.*first + i);
        wider.cells.insert(wider.cells.end(), row, row + table.width);
        wider.cells.push_back(i);
      }
    table = std::move(wider);
  };
  add(kOperands, &Step<S>::first_operand, &Step<S>::operand_count);
  add(kJobs, &Step<S>::first_job, &Step<S>::job_count);
}

/// A record as the number of its kind and its numbers.
template <class Record, class Kind>
void add_numbered(Table& table, const Record& record, std::vector<Kind>& known) {
  Numbers numbers;
  table.cells.push_back(kind_of(record, known, numbers));
  table.cells.insert(table.cells.end(), numbers.begin(), numbers.end());
}

/// An owner as the number of its name and its index.
constexpr std::size_t kMostAxes = 4;

void add_owner(Table& table, const Owner& owner, std::vector<std::string>& names) {
  table.cells.push_back(number_of(names, owner.name));
  table.cells.push_back(static_cast<std::int64_t>(owner.index.size()));
  for (std::size_t axis = 0; axis < kMostAxes; ++axis)
    table.cells.push_back(axis < owner.index.size() ? owner.index[axis] : 0);
}

Owner owner_of(const std::int64_t* row, const std::vector<std::string>& names) {
  Owner owner{names[static_cast<std::size_t>(row[0])], {}};
  for (std::int64_t axis = 0; axis < row[1]; ++axis)
    owner.index.push_back(static_cast<std::int32_t>(row[2 + axis]));
  return owner;
}

template <class Records, class S>
void write_down(Records& records, const Law& law, std::int64_t sample,
                const std::shared_ptr<const Kinds<S>>& kinds) {
  records.resize(law.rows(sample));
  auto next = records.begin();
  law.each_row(sample, [&](const std::int64_t* row) { read_row(row, *next++, *kinds); });
}

template <class T, class S>
void put(Series<T>& records, const Law& law, std::int64_t sample,
         const std::shared_ptr<const Kinds<S>>& kinds, Records how) {
  records.clear();
  if (how == Records::written) return write_down(records, law, sample, kinds);
  records = Series<T>(
      law.stretches(sample),
      [](const std::int64_t* row, T& record, const void* known) {
        read_row(row, record, *static_cast<const Kinds<S>*>(known));
      },
      kinds);
}
template <class T, class S>
void put(T& records, const Law& law, std::int64_t sample,
         const std::shared_ptr<const Kinds<S>>& kinds, Records) {
  write_down(records, law, sample, kinds);
}

bool same_matrix(const PackedMatrix& a, const PackedMatrix& b) {
  return a.rows == b.rows && a.columns == b.columns && a.offset == b.offset &&
         a.row_step == b.row_step && a.column_step == b.column_step && a.pairs == b.pairs;
}

}  // namespace

template <class S>
std::optional<Tables> tables_of(const Emission<S>& emission, Kinds<S>& kinds) {
  Tables tables;
  const auto fits = [](const Owner& owner) { return owner.index.size() <= kMostAxes; };
  if (!std::ranges::all_of(emission.plan.owners, fits)) return std::nullopt;
  each_table(emission, [&](std::size_t number, const auto& records) {
    Table& table = tables[number];
    using Row = decltype(as_row(records[0], kinds));
    table.width = std::tuple_size_v<Row>;
    for (const auto& record : records) {
      const Row row = as_row(record, kinds);
      table.cells.insert(table.cells.end(), row.begin(), row.end());
    }
  });
  add_places(tables, emission.plan);
  tables[kLevels].cells.push_back(emission.plan.levels);
  tables[kAttrs].width = 1 + kMostNumbers;
  for (const Attrs& attrs : emission.plan.attrs) add_numbered(tables[kAttrs], attrs, kinds.attrs);
  tables[kPrograms].width = 1 + kMostNumbers;
  for (const RegionProgram<S>& program : emission.plan.programs)
    add_numbered(tables[kPrograms], program, kinds.programs);
  tables[kOwners].width = 2 + kMostAxes;
  for (const Owner& owner : emission.plan.owners) add_owner(tables[kOwners], owner, kinds.owners);
  return tables;
}

template <class S>
bool differ_in_tables_only(const Emission<S>& a, const Emission<S>& b) {
  // matrices of their own at each step: from some number on, their products are told apart no more
  return std::ranges::equal(a.plan.panels, b.plan.panels, same_matrix) &&
         a.plan.shapes == b.plan.shapes && a.plan.names == b.plan.names &&
         a.plan.sums_in_parts == b.plan.sums_in_parts &&
         a.plan.layout.lengths == b.plan.layout.lengths &&
         a.plan.layout.primary == b.plan.layout.primary;
}

template <class S>
void fill(Emission<S>& emission, const Laws& laws, std::int64_t sample,
          const std::shared_ptr<const Kinds<S>>& known, Records how) {
  const Kinds<S>& kinds = *known;
  each_table(emission, [&](std::size_t number, auto& records) {
    put(records, laws[number], sample, known, how);
  });
  laws[kLevels].each_row(sample,
                         [&](const std::int64_t* row) { read_row(row, emission.plan.levels); });
  emission.plan.attrs.clear();
  laws[kAttrs].each_row(sample, [&](const std::int64_t* row) {
    emission.plan.attrs.push_back(
        with_numbers(kinds.attrs[static_cast<std::size_t>(row[0])], row + 1));
  });
  emission.plan.programs.clear();
  laws[kPrograms].each_row(sample, [&](const std::int64_t* row) {
    emission.plan.programs.push_back(
        with_numbers(kinds.programs[static_cast<std::size_t>(row[0])], row + 1));
  });
  emission.plan.owners.clear();
  laws[kOwners].each_row(sample, [&](const std::int64_t* row) {
    emission.plan.owners.push_back(owner_of(row, kinds.owners));
  });
}

template std::optional<Tables> tables_of(const Emission<float>&, Kinds<float>&);
template std::optional<Tables> tables_of(const Emission<double>&, Kinds<double>&);
template bool differ_in_tables_only(const Emission<float>&, const Emission<float>&);
template bool differ_in_tables_only(const Emission<double>&, const Emission<double>&);
template void fill(Emission<float>&, const Laws&, std::int64_t,
                   const std::shared_ptr<const Kinds<float>>&, Records);
template void fill(Emission<double>&, const Laws&, std::int64_t,
                   const std::shared_ptr<const Kinds<double>>&, Records);

}  // namespace taugrad::plan
