#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

#include "graph/verified.h"

// every rewriting of a graph and every pass of a plan is checked, in all tests
[[maybe_unused]] static const bool verified = taugrad::verify_rewritings = true;
