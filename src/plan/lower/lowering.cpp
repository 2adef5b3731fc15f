#include "plan/lower/lowering.h"

#include <algorithm>

#include "base/fail.h"
#include "graph/verified.h"
#include "plan/family/period.h"
#include "plan/lower/row_ops.h"
#include "plan/verify.h"
#include "taugrad/ops/records.h"

namespace taugrad::plan {
template <class S>
Lowering<S>::Lowering(const PlanBuilder& draft)
    : draft_(draft), tape_(draft.tape), programs_(draft, value_, plan_.programs) {
  plan_.layout = draft.layout;
  plan_.used_extents.resize(tape_.extent_count());
  plan_.operations.resize(tape_.extent_count());
}

template <class S>
Emission<S> Lowering<S>::make() {
  add_values();
  added_.assign(plan_.values.size(), {-1, -1});
  sort_regions();
  const std::vector<Unit> list = units();
  for (std::size_t i = 0; i < list.size();) {
    std::size_t end = i + 1;  // products of one level stand side by side
    const bool product = list[i].product();
    while (product && end < list.size() && list[end].key == list[i].key && list[end].product())
      ++end;
    if (product)
      add_products({list.data() + i, end - i});
    else
      add_unit(list[i]);
    last_key_ = list[i].key;
    i = end;
  }
  for (const NodeId id : draft_.outputs) plan_.outputs.push_back(value_[at(id)]);
  for (const Product& p : draft_.products)
    plan_.levels = std::max(plan_.levels, level_of(draft_.key[at(p.node)]));
  count_work();
  return {std::move(plan_), std::move(storages_), draft_.together};
}

/// Nodes of each region side by side, in tape order.
template <class S>
void Lowering<S>::sort_regions() {
  region_first_.assign(at(draft_.regions) + 1, 0);
  for (const std::int32_t r : draft_.region)
    if (r >= 0) ++region_first_[at(r) + 1];
  for (std::size_t i = 1; i < region_first_.size(); ++i) region_first_[i] += region_first_[i - 1];
  region_node_.resize(region_first_.back());
  std::vector<std::uint32_t> next(region_first_.begin(), region_first_.end() - 1);
  for (NodeId id = 0; id < tape_.size(); ++id)
    if (const std::int32_t r = draft_.region[at(id)]; r >= 0) region_node_[next[at(r)]++] = id;
}

template <class S>
std::vector<typename Lowering<S>::Unit> Lowering<S>::units() const {
  std::vector<Unit> list;
  std::map<std::pair<const Op*, std::uint32_t>, std::int32_t> numbers;  // ops that may be alike
  const auto number_of = [&](NodeId id) {
    const auto next = static_cast<std::int32_t>(numbers.size());
    return numbers.try_emplace({&tape_.op(id), tape_.shape_id(id)}, next).first->second;
  };
  for (NodeId id = 0; id < tape_.size(); ++id) {
    if (!draft_.needed[at(id)]) continue;
    const Form form = draft_.form[at(id)];
    const Key key = draft_.key[at(id)];
    const NodeId into = draft_.into[at(id)];
    if (form == Form::leaf || form == Form::view || form == Form::placed || form == Form::again)
      continue;
    if (form == Form::rows) {
      list.push_back(
          {key, draft_.turn[at(id)], draft_.products[at(draft_.product[at(id)])].type, id});
    } else if (form == Form::fused) {
      const std::int32_t r = draft_.region[at(id)];
      if (region_node_[region_first_[at(r)]] == id) list.push_back({key, Unit::kRegion, r, id});
    } else if (into < 0 || draft_.is_part(id)) {
      list.push_back({key, Unit::kNode, form == Form::forward ? number_of(id) : -1, id});
    }
  }
  std::sort(list.begin(), list.end());
  return list;
}

template <class S>
void Lowering<S>::add_unit(const Unit& unit) {
  if (unit.rank == Unit::kRegion) return add_region(unit);
  const Form form = draft_.form[at(unit.node)];
  if (form == Form::add) return add_sum(unit.node);
  if (form == Form::forward) return add_forward(unit.node);
  add_node(unit.node);
}

template <class S>
void Lowering<S>::read(Step<S>& step, ValueId v) {
  touch(storage(v), next(), static_cast<std::int32_t>(plan_.operands.size()));
  plan_.operands.push_back(v);
  ++step.operand_count;
}

template <class S>
void Lowering<S>::finish(const Step<S>& step, std::initializer_list<ValueId> written) {
  for (const ValueId v : written) touch(storage(v), next(), -1);
  plan_.steps.push_back(step);
  plan_.steps.back().out = written.size() > 0 ? *written.begin() : -1;
}

template <class S>
Step<S> Lowering<S>::step_of(NodeId id, Form form) {
  const Op& op = tape_.op(id);
  Step<S> step;
  step.form = form;
  step.op = &op;
  step.forward = forward_of<S>(op, tape_.attrs(id));
  if (form == Form::forward && step.forward == nullptr)
    fail(Status::bug, "B001", "the op \"{}\" cannot be evaluated ({})", op.name, tape_.label(id));
  step.first_operand = static_cast<std::uint32_t>(plan_.operands.size());
  step.extent = work_of(tape_, id).extent;
  return step;
}

/// Products of one level: one step, but for two of one matrix that add to one place.
template <class S>
void Lowering<S>::add_products(std::span<const Unit> units) {
  const auto panels_of = [&](const Unit& u) {
    return pack(draft_.products[at(draft_.product[at(u.node)])]);
  };
  for (const Unit& u : units) panels_of(u);
  Step<S> step;
  std::int32_t type = -1;
  for (const Unit& u : units) {
    const bool apart = !on(Pass::time) || (!on(Pass::gates) && u.type != type) ||
                       added_[at(value_[at(u.node)])] == std::pair(next(), panels_of(u));
    if (step.job_count > 0 && apart) {
      finish(step);
      step.job_count = 0;
    }
    if (step.job_count == 0) {
      step = step_of(u.node, Form::rows);
      step.first_job = static_cast<std::uint32_t>(plan_.jobs.size());
    }
    ++step.job_count;
    type = u.type;
    add_job(u.node);
  }
  finish(step);
}

template <class S>
void Lowering<S>::add_job(NodeId id) {
  const Product& p = draft_.products[at(draft_.product[at(id)])];
  const Job job{value_[at(p.a)], value_[at(id)], pack(p), draft_.added(id)};
  touch(storage(job.a), next());
  touch(storage(job.out), next(), -1);
  added_[at(job.out)] = {next(), job.panels};
  plan_.jobs.push_back(job);
}

/// Regions of one stage that have the same program are instances of one step.
template <class S>
void Lowering<S>::add_region(const Unit& unit) {
  const std::uint32_t first = region_first_[at(unit.type)];
  const std::int32_t program = programs_.write(
      std::span(region_node_).subspan(first, region_first_[at(unit.type) + 1] - first));
  // of a region that was cut, one part depends on another
  const bool waits = std::ranges::any_of(programs_.streams(), [&](ValueId v) {
    return storage(v).born >= 0 && storage(v).born == next() - 1;
  });
  const bool joins = !plan_.steps.empty() && last_key_ == unit.key && !waits &&
                     plan_.steps.back().form == Form::fused &&
                     plan_.steps.back().program == program;
  Step<S> step = joins ? plan_.steps.back() : step_of(unit.node, Form::fused);
  if (joins) plan_.steps.pop_back();
  step.program = program;
  step.extent = tape_.extent_id(unit.node);
  for (const ValueId v : programs_.streams()) read(step, v);
  finish(step);
}

template <class S>
void Lowering<S>::add_node(NodeId id) {
  const Form form = draft_.form[at(id)];
  Step<S> step;
  std::int32_t panels = -1;
  if (form == Form::taps) panels = pack_taps(id);
  step = step_of(id, form);
  step.panels = panels;
  const auto in = draft_.in(id);
  for (std::size_t i = form == Form::taps ? 1 : 0; i < in.size(); ++i) {
    const auto [x, transposed] =
        form == Form::each ? draft_.matrix(in[i]) : std::pair(in[i], false);
    if (transposed) step.transposed = static_cast<std::uint8_t>(step.transposed | 1u << i);
    read(step, value_[at(x)]);
  }
  step.attrs = add_attrs(id);
  finish(step, {value_[at(id)]});
}

/// Ops of one stage do not depend on each other: equal ones are instances of one step.
template <class S>
void Lowering<S>::add_forward(NodeId id) {
  const auto in = draft_.in(id);
  const ValueId out = value_[at(id)];
  const std::uint32_t attrs = add_attrs(id);
  const auto alike = [&](const Step<S>& s) {
    return s.form == Form::forward && s.op == &tape_.op(id) && s.attrs == attrs &&
           s.each == in.size() + 1 && plan_.values[at(s.out)].shape == plan_.values[at(out)].shape;
  };
  const bool alone = tape_.op(id).traits.faults;  // an error names one value
  const bool joins = on(Pass::alike) && row_by_row(tape_.op(id)) && !alone &&
                     !plan_.steps.empty() && last_key_ == draft_.key[at(id)] &&
                     alike(plan_.steps.back());
  Step<S> step = joins ? plan_.steps.back() : step_of(id, Form::forward);
  if (joins) plan_.steps.pop_back();
  const ValueId first = joins ? step.out : out;
  for (const NodeId x : in) read(step, value_[at(x)]);
  read(step, out);
  step.each = static_cast<std::uint32_t>(in.size()) + 1;
  step.attrs = attrs;
  if (tape_.op(id).traits.random || tape_.op(id).traits.faults) step.owner = add_owner(id);
  finish(step, {first});
}

template <class S>
void Lowering<S>::count_work() {
  for (NodeId id = 0; id < tape_.size(); ++id) {
    const Form form = draft_.form[at(id)];
    if (!draft_.needed[at(id)] || form == Form::leaf || form == Form::view || form == Form::placed)
      continue;
    const Work work = work_of(tape_, id);
    plan_.operations[work.extent] += work.operations;
  }
}

// the members that are defined here
template class Lowering<float>;
template class Lowering<double>;

template <class S>
Emission<S> emit(const Tape& tape, std::span<const NodeId> outputs, PassSet passes,
                 std::span<const std::uint8_t> long_sum) {
  PlanBuilder draft(tape, outputs, passes);
  draft.long_sum.assign(long_sum.begin(), long_sum.end());
  constexpr std::pair<std::string_view, void (*)(PlanBuilder&)> kInOrder[] = {
      {"merge", merge_equal},   {"forms", choose_forms},    {"sums", link_sums},
      {"place", place_parts},   {"phases", set_phases},     {"parts", split_sums},
      {"levels", set_levels},   {"accumulate", accumulate}, {"sink", sink},
      {"regions", form_regions}};
  for (const auto& [name, pass] : kInOrder) {
    pass(draft);
    if (verify_rewritings) verify(draft, name);
  }
  return Lowering<S>(draft).make();
}

template <class S>
void place(Emission<S>& emission, PassSet passes) {
  const bool reuse = passes.has(Pass::reuse);
  if (!verify_rewritings) return assign_slots(emission.plan, emission.storages, reuse);
  const Column<Storage> storages = emission.storages;
  std::vector<std::int32_t> storage_of;
  for (const Value& v : emission.plan.values) storage_of.push_back(v.slot);
  assign_slots(emission.plan, emission.storages, reuse);
  verify_slots(emission.plan, storages, storage_of);
}

template void place(Emission<float>&, PassSet);
template void place(Emission<double>&, PassSet);

template Emission<float> emit(const Tape&, std::span<const NodeId>, PassSet,
                              std::span<const std::uint8_t>);
template Emission<double> emit(const Tape&, std::span<const NodeId>, PassSet,
                               std::span<const std::uint8_t>);

template <class S>
Plan<S> make_plan(const Tape& tape, std::span<const NodeId> outputs, PassSet passes) {
  std::optional<Emission<S>> emission;
  if (passes.has(Pass::period)) emission = emit_from_periods<S>(tape, outputs, passes);
  if (!emission) emission = emit<S>(tape, outputs, passes);
  place<S>(*emission, passes);
  return std::move(emission->plan);
}

template Plan<float> make_plan(const Tape&, std::span<const NodeId>, PassSet);
template Plan<double> make_plan(const Tape&, std::span<const NodeId>, PassSet);

}  // namespace taugrad::plan
