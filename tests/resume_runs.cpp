// tools/resumes: trainings of many kinds, each stopped after any of its updates and gone on with
// from the command line, beside one that was not stopped: weights, optimizer, state and metrics are
// the same bytes, and so is what is sampled.
#include <cstdio>

#include "support_cli.h"

using namespace support;

namespace {

constexpr int kUpdates = 50;

struct Kind {
  const char* name;
  const char* options;
};

// 5 minibatches an epoch: nine stops of ten lie inside one
constexpr Kind kKinds[] = {
    {"sgd", "--optimizer sgd --lr 0.1"},
    {"momentum", "--optimizer sgd --momentum 0.9 --nesterov --lr 0.02 --weight-decay 0.01"},
    {"adam", "--final-lr 0.1"},
    {"rmsprop", "--optimizer rmsprop --schedule 'warmup(7) cosine(0.05)'"},
    {"adamw", "--optimizer adamw --decay-of 'W*' --ema 0.9"},
    {"adagrad", "--optimizer adagrad --schedule 'step(0.5, 9)' --clip-value 0.05"},
    {"lion", "--optimizer lion --schedule 'warmup(3) inverse_sqrt(10)' --freeze V"},
    {"plateau", "--valid other.txt --valid-every 3 --schedule 'plateau(0.5, 2)'"},
    {"scheduled sampling", "--mode 'y=mixed(linear(1,0.2,40))'"},
    {"windows", "--bptt 5"},
    {"windows that look back", "--bptt 6,2 --accumulate 2"},
    {"accumulated", "--accumulate 3"},
    {"bf16", "--precision bf16"},
    {"checkpoints", "--checkpoint sqrt"},
    {"two threads", "--threads 2"},
};

std::string files_of(const Folder& f, const std::string& run) {
  std::string all;
  for (const char* file : {"/model.safetensors", "/optimizer.safetensors", "/state.json"})
    all += slurp(f / (newest(f, run) + file));
  return all + without_times(slurp(f / (run + "/metrics.jsonl")));
}

/// The run as it was after update `stop`, when it was stopped.
void stopped(const Folder& f, int stop) {
  const std::string step = "step-" + std::to_string(stop);
  fs::remove_all(f / "part");
  fs::create_directory(f / "part");
  for (const char* file : {"config.json", "metrics.jsonl"})
    fs::copy(f / (std::string("whole/") + file), f / (std::string("part/") + file));
  fs::copy(f / ("whole/" + step), f / ("part/" + step));
  spill(f / "part/latest", step + "\n");
}

/// Returns what went wrong, or nothing.
std::string tried(const Kind& kind, int stops, int& resumes) {
  const Folder f;
  std::string text;
  for (int i = 0; i < 20; ++i)
    text += i % 3 == 0 ? "to be or not to be\n" : i % 3 == 1 ? "do be\n" : "not to do or to be\n";
  spill(f / "text.txt", text);
  spill(f / "other.txt", "to do or not\n");
  spill(f / "net.json", R"json({"name": "net", "index": {"t": "tau"}, "sizes": {"k": 4, "m": 6},
    "weights": {"E": ["k", "m"], "W": ["m", "m"], "V": ["k", "m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + embed(E, y[t-1]))",
                  "y[t] ~ categorical(logits = V @ dropout(h[t], 0.3))"],
    "ends": {"t": "y[t] == 0"}})json");
  // as many epochs as fifty updates take
  const std::string train = std::string("train net.json --data text.txt --batch 4 --seed 5 ") +
                            kind.options + " --save-every 0 --keep 1000 -q ";
  if (taugrad(f, train + "--epochs 1 -o probe").status != 0)
    return "does not train: " + slurp(f / "err.txt");
  const auto an_epoch = std::max<std::size_t>(lines_of(slurp(f / "probe/metrics.jsonl")).size(), 1);
  const auto epochs = static_cast<std::size_t>(kUpdates) * 3 / 2 / an_epoch + 2;
  if (taugrad(f, train + "--epochs " + std::to_string(epochs) + " -o whole").status != 0)
    return "does not train: " + slurp(f / "err.txt");
  const std::string files = files_of(f, "whole"),
                    drawn = taugrad(f, "sample whole --count 5 --seed 2").out;
  const auto updates = static_cast<int>(lines_of(slurp(f / "whole/metrics.jsonl")).size());
  if (updates <= kUpdates) return "makes too few updates";
  for (int k = 1; k <= stops; ++k) {
    const int stop = k * updates / (stops + 1);
    stopped(f, stop);
    if (taugrad(
            f, "train --resume part --save-every 60 -q" +
                   std::string(kind.name == std::string("checkpoints") ? " --checkpoint sqrt" : ""))
            .status != 0)
      return "does not go on after update " + std::to_string(stop) + ": " + slurp(f / "err.txt");
    ++resumes;
    if (files_of(f, "part") != files) return "differs after update " + std::to_string(stop);
    if (taugrad(f, "sample part --count 5 --seed 2").out != drawn)
      return "draws others after update " + std::to_string(stop);
  }
  return {};
}

}  // namespace

int main(int count, char** words) {
  const int stops = count > 1 ? std::atoi(words[1]) : kUpdates;
  const auto kinds = static_cast<std::size_t>(count > 2 ? std::atoi(words[2]) : 1000);
  int resumes = 0, failed = 0;
  for (std::size_t i = 0; i < std::min(kinds, std::size(kKinds)); ++i) {
    const std::string problem = tried(kKinds[i], stops, resumes);
    std::printf("%s: %s\n", kKinds[i].name, problem.empty() ? "same bits" : problem.c_str());
    std::fflush(stdout);
    failed += problem.empty() ? 0 : 1;
  }
  std::printf("%d resumes, %d kinds with other bits\n", resumes, failed);
  return failed == 0 ? 0 : 1;
}
