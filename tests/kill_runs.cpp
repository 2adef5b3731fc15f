// One training killed again and again at random moments: tools/kills [COUNT] [SEED].
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>

#include "support_cli.h"
#include "taugrad/train/model_folder.h"

using namespace support;

namespace {

const std::string kTrain = "train char_lm --data text.txt --size m=24 --batch 4 --lr 0.01 -q ";

/// Starts a command, kills it after so long. Returns whether it ended by itself.
bool ends_within(const Folder& f, const std::string& line, int microseconds) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::chdir(f.path.c_str()) != 0) ::_exit(99);
    ::setenv("TAUGRAD_GRAPHS", TAUGRAD_SOURCE_DIR "/graphs", 1);
    ::execl("/bin/sh", "sh", "-c", ("exec '" TAUGRAD_EXECUTABLE "' " + line).c_str(), nullptr);
    ::_exit(99);
  }
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
  ::kill(child, SIGKILL);
  int result = 0;
  ::waitpid(child, &result, 0);
  if (WIFEXITED(result) && WEXITSTATUS(result) != 0)
    throw std::runtime_error("ended with status " + std::to_string(WEXITSTATUS(result)));
  return WIFEXITED(result);
}

/// Within which a kill comes: on a slow or busy machine too, a training often saves by then.
int window(const Folder& f) {
  const auto start = std::chrono::steady_clock::now();
  support::taugrad(f, kTrain + "--epochs 1 -o probe --save-every 0");
  const auto once = std::chrono::steady_clock::now() - start;
  return std::max(
      120'000,
      static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(2 * once).count()));
}

std::string held(const Folder& f, const std::string& run) {
  return slurp(f / (newest(f, run) + "/model.safetensors")) +
         slurp(f / (newest(f, run) + "/optimizer.safetensors")) +
         without_times(slurp(f / (run + "/metrics.jsonl")));
}

}  // namespace

int main(int count, char** words) {
  const int kills = count > 1 ? std::atoi(words[1]) : 200;
  std::mt19937 random(static_cast<unsigned>(count > 2 ? std::atoi(words[2]) : 1));
  const Folder f;
  std::string text;
  for (int i = 0; i < 40; ++i) text += i % 2 == 0 ? "the cat sat on the mat\n" : "a dog ran\n";
  spill(f / "text.txt", text);
  // as many epochs as the kills will need, and more: the last run goes to its end
  const std::string all = fmt::format("--epochs {}", 10 * kills);
  if (support::taugrad(f, kTrain + all + " -o whole").status != 0) return 1;
  std::string line = kTrain + all + " -o run --save-every 0";
  const int longest = window(f);
  int died = 0, moved = 0;
  std::int64_t before = -1;
  while (died < kills) {
    if (ends_within(f, line, std::uniform_int_distribution(0, longest)(random))) break;
    ++died;
    if (!fs::exists(f / "run/latest")) {  // before its first save
      line = kTrain + all + " -o run --overwrite --save-every 0";
      continue;
    }
    line = "train --resume run -q --save-every 0";
    const taugrad::TrainedModel m = taugrad::load_model(f / "run");
    const std::int64_t now = taugrad::load_resume_state(m)->updates;
    if (!m.warnings.empty() || now < before) {
      fmt::print("kill {}: {}\n", died, m.warnings.empty() ? "fell back" : m.warnings[0].message);
      return 1;
    }
    moved += now > before;
    before = now;
  }
  const Outcome rest = support::taugrad(f, "train --resume run -q");
  const bool same = rest.status == 0 && held(f, "run") == held(f, "whole");
  fmt::print(
      "{} kills in a row, {} of them after new saves, the last at update {}; weights, optimiser "
      "and metrics in the end: {}\n",
      died, moved, before, same ? "bitwise those of the uninterrupted run" : "OTHERS");
  return same && died >= kills ? 0 : 1;
}
