#pragma once

#include <string>

#include "taugrad/base/error.h"

namespace support {

/// The code of the error that a call ends with; empty where it ends with none.
template <class F>
std::string code_of(const F& call) {
  try {
    call();
  } catch (const taugrad::Error& e) {
    return e.diagnostics().front().code;
  }
  return {};
}

}  // namespace support
