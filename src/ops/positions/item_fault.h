#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "taugrad/base/error.h"

namespace taugrad {

/// What an op cannot do for one of its rows. Who runs it knows which item and which value that is.
struct ItemFault : Error {
  ItemFault(Status status, std::string code, std::string message, std::string help,
            std::int64_t of_row)
      : Error(status, Diagnostic{.code = std::move(code),
                                 .message = std::move(message),
                                 .file = {},
                                 .pointer = {},
                                 .excerpt = {},
                                 .help = std::move(help)}),
        row(of_row) {}
  /// The same error, told with the value's name and the item's number (-1: shared by all).
  [[noreturn]] void retell(const std::string& label, std::int64_t item) const {
    Diagnostic d = diagnostics().front();
    d.message += " at " + label + (item < 0 ? "" : ", item " + std::to_string(item));
    throw Error(status(), std::move(d));
  }

  std::int64_t row;
};

}  // namespace taugrad
