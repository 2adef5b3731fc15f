#include "swish.h"
#include "taugrad/language/register_op.h"

// Registers when it is loaded.
namespace {
const taugrad::Op& kSwish = taugrad::register_op(own_ops::swish());
const taugrad::Op& kSum = taugrad::register_op(own_ops::sum_of_squares());
}  // namespace
