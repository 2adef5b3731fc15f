#include "swish.h"
#include "taugrad/language/register_op.h"

extern "C" void taugrad_register() { taugrad::register_op(own_ops::gated()); }
