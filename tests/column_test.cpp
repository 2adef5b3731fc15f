#include "taugrad/base/column.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <numeric>

using namespace taugrad;

TEST_CASE("a column keeps its entries while it grows from small blocks to large ones") {
  Column<std::uint32_t> column;
  for (std::uint32_t i = 0; i < 3'000'000; ++i) column.push_back(i * i);
  const Column<std::uint32_t> copied = column;
  column.clear();
  column.shrink_to_fit();
  std::size_t wrong = 0;
  for (std::uint32_t i = 0; i < copied.size(); ++i) wrong += copied[i] != i * i;
  CHECK(wrong == 0);
  CHECK(column.capacity() == 0);
}

TEST_CASE("blocks do not overlap, and every byte of them can be written") {
  for (const std::size_t bytes : {1u, 4096u, (1u << 20) - 1, 1u << 20, (1u << 21) + 1, 5u << 20}) {
    std::uint8_t* const a = static_cast<std::uint8_t*>(take_block(bytes));
    std::uint8_t* const b = static_cast<std::uint8_t*>(take_block(bytes));
    std::memset(a, 1, bytes);
    std::memset(b, 2, bytes);
    CHECK(std::accumulate(a, a + bytes, std::size_t{0}) == bytes);
    CHECK(std::accumulate(b, b + bytes, std::size_t{0}) == 2 * bytes);
    give_block(a, bytes);
    give_block(b, bytes);
  }
}
