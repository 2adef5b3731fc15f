#include "swish.h"
#include "taugrad/language/register_op.h"

// A name that is taken: the library as a whole is refused.
namespace {
taugrad::Op taken() {
  taugrad::Op op = own_ops::swish();
  op.name = "tanh";
  return op;
}
const taugrad::Op& kTaken = taugrad::register_op(taken());
}  // namespace
