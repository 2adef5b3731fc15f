// What is checked after every pass of a plan in debug builds and in all tests.
#include <catch2/catch.hpp>

#include "plan/lower/lowering.h"
#include "plan/verify.h"
#include "support_plan.h"

using namespace taugrad;
using namespace support;
using Catch::Matchers::Contains;

namespace {

template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.diagnostics().front().code + " " + e.diagnostics().front().message;
  }
  return "";
}

}  // namespace

TEST_CASE("a draft whose nodes run before what they read is found", "[plan]") {
  const Work work = work_of(load_definition("lstm"), 4, true);
  plan::PlanBuilder draft(work.tape(), work.outputs, {});
  plan::merge_equal(draft);
  plan::choose_forms(draft);
  plan::link_sums(draft);
  plan::place_parts(draft);
  plan::set_levels(draft);
  CHECK_NOTHROW(plan::verify(draft, "levels"));
  const plan::Product& last = draft.products.back();
  draft.key[static_cast<std::size_t>(last.node)] = 0;
  CHECK_THAT(message_of([&] { plan::verify(draft, "levels"); }),
             Contains("B001 after the pass levels: node " + std::to_string(last.node)));
}

TEST_CASE("values that share a slot while both are needed are found", "[plan]") {
  const Work work = work_of(load_definition("lstm"), 4, true);
  plan::Emission<double> emission = plan::emit<double>(work.tape(), work.outputs, {});
  const Column<plan::Storage> storages = emission.storages;
  std::vector<std::int32_t> storage_of;
  for (const plan::Value& v : emission.plan.values) storage_of.push_back(v.slot);
  plan::assign_slots(emission.plan, emission.storages, true);
  const auto check = [&] { plan::verify_slots(emission.plan, storages, storage_of); };
  CHECK_NOTHROW(check());
  int found = 0, tried = 0;  // whatever is moved to the place of an output
  const plan::SlotId taken =
      emission.plan.values[static_cast<std::size_t>(emission.plan.outputs[0])].slot;
  for (std::size_t v = 0; v < storage_of.size(); ++v) {
    plan::Value& value = emission.plan.values[v];
    if (value.slot == taken) continue;
    ++tried;
    const plan::SlotId own = std::exchange(value.slot, taken);
    found += message_of(check).starts_with("B001");
    value.slot = own;
  }
  CHECK(tried > 50);
  CHECK(found > tried * 9 / 10);  // what is read for the last time before the output is made may
}
