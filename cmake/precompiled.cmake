# Headers that nearly every file reads are compiled once for all. Every file still includes what it names: the test
# `includes`.
option(TAUGRAD_PRECOMPILED "Precompile the standard headers" ON)
set(precompiled_standard <algorithm> <array> <cmath> <cstdint> <functional> <limits> <map> <memory> <optional> <set>
  <span> <string> <string_view> <unordered_map> <utility> <vector> <fmt/format.h>)

# precompile(<target> <of> [<header>...]): <target> reads what <of> compiled; the two may be one.
function(precompile target of)
  if(NOT TAUGRAD_PRECOMPILED)
    return()
  endif()
  if(target STREQUAL of)
    target_precompile_headers(${target} PRIVATE ${precompiled_standard} ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${of})
  endif()
endfunction()
