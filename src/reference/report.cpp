#include "reference/report.h"

#include <algorithm>
#include <cmath>

namespace taugrad {

void add_entry(const CheckedEntry& e, bool first, VariableCheck& to) {
  to.kinks += e.kink ? 1 : 0;
  to.hidden += e.hidden ? 1 : 0;
  to.unmeasured += e.unmeasured ? 1 : 0;
  to.ok = to.ok && e.ok;
  if (e.judged()) to.largest = std::max({to.largest, std::abs(e.analytic), std::abs(e.numeric)});
  const auto left_out = [](const CheckedEntry& of) { return of.kink || of.unmeasured; };
  const bool worse = e.ok == to.worst.ok ? e.error > to.worst.error || left_out(to.worst) : !e.ok;
  if (first || (worse && !left_out(e))) to.worst = e;
}

void locate(VariableCheck& result) {
  const Shape& shape = result.variable.shape();
  std::int64_t element = result.worst.element;
  if (element < 0 || shape.size() == 0) return;
  if (result.variable.per_example()) result.item = element / shape.size();
  element %= shape.size();
  result.index.assign(static_cast<std::size_t>(shape.rank()), 0);
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    result.index[static_cast<std::size_t>(axis)] = element % shape[axis];
    element /= shape[axis];
  }
}

bool CheckReport::ok() const {
  return !not_finite && (!together || together->ok) &&
         std::all_of(variables.begin(), variables.end(), [](const auto& v) { return v.ok; });
}

std::int64_t CheckReport::kinks() const {
  std::int64_t sum = 0;
  for (const VariableCheck& v : variables) sum += v.kinks;
  return sum;
}

std::int64_t CheckReport::hidden() const {
  std::int64_t sum = 0;
  for (const VariableCheck& v : variables) sum += v.hidden;
  return sum;
}

std::int64_t CheckReport::unmeasured() const {
  std::int64_t sum = 0;
  for (const VariableCheck& v : variables) sum += v.unmeasured;
  return sum;
}

bool CheckReport::vacuous() const {
  const bool proven = together && together->judged() && together->analytic != 0;
  return ok() && !proven && std::all_of(variables.begin(), variables.end(), [](const auto& v) {
           return v.largest == 0;
         });
}

const VariableCheck* CheckReport::worst() const {
  const auto error = [](const VariableCheck& v) {
    return v.worst.kink || v.worst.unmeasured ? -1 : v.worst.error;
  };
  const VariableCheck* worst = nullptr;
  for (const VariableCheck& v : variables) {
    if (v.checked == 0 && !v.along_direction) continue;
    if (!worst || (v.ok == worst->ok ? error(v) > error(*worst) : !v.ok)) worst = &v;
  }
  return worst;
}

}  // namespace taugrad
