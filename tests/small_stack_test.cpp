// Every command where the first thread has little stack (`ulimit -s`).
#include <catch2/catch.hpp>

#include "support_cli.h"

namespace {

// KiB; frames of code that is not optimised, or is watched by a sanitizer, are several times larger
#if defined(NDEBUG) && !defined(TAUGRAD_SANITIZED)
constexpr int kStack = 128;
#else
constexpr int kStack = 2048;
#endif

}  // namespace

TEST_CASE("every command on a small stack", "[small_stack]") {
  const support::Folder f;
  std::string text;
  for (int i = 0; i < 40; ++i) text += "abab\nab\nababab\n";
  support::spill(f / "text.txt", text);
  const std::string limit = "sh -c 'ulimit -s " + std::to_string(kStack) + "; ";
  for (const char* line :
       {"train char_lm --data text.txt -o model --epochs 1", "eval model --data text.txt",
        "sample model", "train char_lm --data text.txt -o whole --epochs 1 --split none --threads 1",
        "run char_lm --steps 60 --batch 70", "run lstm --steps 20 --batch 70 --size m=96 --threads 3",
        "check elman", "check lstm --steps 3", "show char_lm --steps 40 --view gradient --format svg -o x.svg",
        "show lstm --steps 200 --plan", "flow elman", "run char_lm --steps 40 --batch 9 --checkpoint sqrt --fetch loss"}) {
    INFO(line);
    const support::Outcome r =
        support::run_in(f, limit + "exec \"" TAUGRAD_EXECUTABLE "\" " + line + "'");
    INFO(r.err);
    CHECK(r.status == 0);
  }
}
