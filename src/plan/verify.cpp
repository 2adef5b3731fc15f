#include "plan/verify.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <vector>

#include "base/fail.h"
#include "base/index.h"

namespace taugrad::plan {
namespace {

class DraftCheck {
 public:
  DraftCheck(const PlanBuilder& draft, std::string_view pass)
      : draft_(draft),
        pass_(pass),
        keys_(std::ranges::any_of(draft.key, [](Key key) { return key != 0; })) {}

  void run() const {
    for (NodeId id = 0; id < draft_.size(); ++id) {
      for (const NodeId x : draft_.in(id)) ensure(x >= 0 && x < id, id, "reads a later node");
      if (!draft_.needed[at(id)]) continue;
      check_place(id);
      // what is only waited for may take a little longer: that costs memory, not the value
      const auto reads = draft_.reads(id);
      for (const Read& r : draft_.tape.op(id).traits.waits ? reads.first(1) : reads)
        if (r.kind != Read::Kind::constant) check_read(r, id);
    }
  }

 private:
  void ensure(bool ok, NodeId id, std::string_view what) const {
    if (!ok)
      fail(Status::bug, "B001", "after the pass {}: node {} ({}) {}", pass_, id,
           draft_.tape.label(id), what);
  }

  /// A part lies in a later node, a product that adds in the place of an earlier one.
  void check_place(NodeId id) const {
    const NodeId into = draft_.into[at(id)];
    if (into < 0) return;
    ensure(into != id && draft_.needed[at(into)] != 0, id, "lies in what has no place");
    const NodeId next = draft_.into[at(into)];
    ensure(next < 0 || (next > into) == (into > id), id, "lies within itself");
  }

  void check_read(const Read& read, NodeId id) const {
    const auto x = at(read.node), user = at(id);
    ensure(read.node < id, id, "reads a later node");
    ensure(draft_.needed[x] != 0, id, "reads what is not computed");
    if (!keys_) return;
    const Key before = draft_.key[x], now = draft_.key[user];
    ensure(before <= now, id, "runs before what it reads");
    const Form from = draft_.form[x], form = draft_.form[user];
    if (form == Form::rows)
      ensure(level_of(before) < level_of(now) || draft_.shared(read.node), id,
             "runs in the level of what it reads");
    if (from != Form::fused || form != Form::fused || before != now) return;
    ensure(draft_.same_tiles(read.node, id), id, "is of another size than what it reads at once");
    ensure(draft_.region[x] <= draft_.region[user], id, "is in a region before what it reads");
  }

  const PlanBuilder& draft_;
  std::string_view pass_;
  bool keys_;
};

/// What the steps of a plan do to the storages of one slot.
template <class S>
class SlotCheck {
 public:
  SlotCheck(const Plan<S>& plan, const Column<Storage>& storages,
            std::span<const std::int32_t> storage_of)
      : plan_(plan), storages_(storages), storage_of_(storage_of), slot_(storages.size(), -1) {}

  void run() {
    for (std::size_t v = 0; v < storage_of_.size(); ++v) {
      SlotId& slot = slot_[at(storage_of_[v])];
      const SlotId mine = plan_.values[v].slot;
      ensure(slot < 0 || slot == mine, storage_of_[v], "lies in two slots");
      slot = mine;
    }
    std::vector<std::int32_t> order;
    for (std::size_t s = 0; s < storages_.size(); ++s)
      if (slot_[s] >= 0) order.push_back(static_cast<std::int32_t>(s));
    std::ranges::sort(order, {}, [&](std::int32_t s) {
      const Storage& x = storages_[at(s)];
      return std::tuple(slot_[at(s)], x.leaf ? -1 : x.born, write_of(s), s);
    });
    for (std::size_t i = 1; i < order.size(); ++i)
      if (slot_[at(order[i])] == slot_[at(order[i - 1])]) check_follows(order[i - 1], order[i]);
  }

 private:
  void ensure(bool ok, std::int32_t s, std::string_view what) const {
    if (!ok)
      fail(Status::bug, "B001", "a plan's storage {} ({}) {}", s,
           plan_.names[storages_[at(s)].name], what);
  }

  void check_follows(std::int32_t first, std::int32_t second) const {
    const Storage &a = storages_[at(first)], &b = storages_[at(second)];
    ensure(!a.leaf && !b.leaf && !a.forever, first, "shares what it must keep");
    ensure(a.dies <= b.born, first, "is overwritten before it is read");
    if (a.dies == b.born)
      ensure(last_touch(first, b.born) <= write_of(second), first,
             "is overwritten within a step that reads it later");
  }

  /// The streams of the instance of a region that touches a storage: its first value there.
  struct Place {
    const RegionProgram<S>* program = nullptr;
    std::size_t stream = 0;
  };
  template <class Body>
  void each_stream(std::int32_t step, std::int32_t storage, const Body& body) const {
    const Step<S>& s = plan_.steps[at(step)];
    if (s.form != Form::fused) return;
    const RegionProgram<S>& program = plan_.programs[at(s.program)];
    const std::size_t streams = program.apart.size();
    for (std::uint32_t i = 0; i < s.operand_count; ++i)
      if (storage_of_[at(plan_.operands[s.first_operand + i])] == storage)
        body(Place{&program, i % streams}, i / streams);
  }

  /// The instruction that writes a storage in the step where it is born; -1: no region does.
  int write_of(std::int32_t storage) const {
    int write = -1;
    if (storages_[at(storage)].born < 0) return write;
    each_stream(storages_[at(storage)].born, storage, [&](const Place& p, std::size_t) {
      write = std::max<int>(write, p.program->first_write[p.stream]);
    });
    return write;
  }

  /// The last instruction of a region that touches it; after all where no region does, or several
  /// instances.
  int last_touch(std::int32_t storage, std::int32_t step) const {
    int last = -1;
    std::size_t of = 0;
    bool any = false, many = false;
    each_stream(step, storage, [&](const Place& p, std::size_t instance) {
      many = many || (any && instance != of) || p.program->apart[p.stream] != 0;
      any = true;
      of = instance;
      last =
          std::max<int>({last, p.program->last_read[p.stream], p.program->first_write[p.stream]});
    });
    return any && !many ? last : std::numeric_limits<int>::max();
  }

  const Plan<S>& plan_;
  const Column<Storage>& storages_;
  std::span<const std::int32_t> storage_of_;
  std::vector<SlotId> slot_;  // by storage
};

}  // namespace

void verify(const PlanBuilder& draft, std::string_view pass) { DraftCheck(draft, pass).run(); }

template <class S>
void verify_slots(const Plan<S>& plan, const Column<Storage>& storages,
                  std::span<const std::int32_t> storage_of) {
  SlotCheck<S>(plan, storages, storage_of).run();
}

template void verify_slots(const Plan<float>&, const Column<Storage>&,
                           std::span<const std::int32_t>);
template void verify_slots(const Plan<double>&, const Column<Storage>&,
                           std::span<const std::int32_t>);

}  // namespace taugrad::plan
