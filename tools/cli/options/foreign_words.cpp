#include "options/foreign_words.h"

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>

namespace taugrad::cli {
namespace {

struct OptionWords {
  std::initializer_list<std::string_view> theirs;
  std::string_view ours;  ///< an option, told only to commands that have it; empty: none
  std::string_view help;  ///< what is told; empty: `write` our option
};

// Of several rows for a word the first that fits the command holds.
const OptionWords kOptions[]{
    {{"--hidden", "--hidden-size", "--hidden-dim", "--hidden-units", "--units", "--nhid",
      "--num-units", "--dim", "--width"},
     "--size",
     "write --size m=128: a size of the definition, by its name"},
    {{"--input-size", "--input-dim", "--in-features", "--features", "--embedding-dim", "--emsize"},
     "--size",
     "write --size n=8: a size of the definition, by its name"},
    {{"--vocab", "--vocab-size", "--vocabulary"},
     "",
     "the symbols of the text make the vocabulary"},
    {{"--layers", "--num-layers", "--nlayers", "--n-layers", "--depth"}, "--layers", ""},
    {{"--layers", "--num-layers", "--nlayers", "--n-layers", "--depth"},
     "",
     "`taugrad define lstm --layers 2 -o lstm.json` makes a definition of several layers"},
    {{"--bidirectional", "--bidir", "--birnn"}, "--bidirectional", ""},
    {{"--bidirectional", "--bidir", "--birnn"},
     "",
     "`taugrad define lstm --bidirectional -o lstm.json` makes such a definition"},
    {{"--cell", "--rnn-type", "--cell-type", "--arch", "--model", "--model-type", "--net"},
     "",
     "the definition is the first argument: a file, the name of one, or -e equations"},
    {{"--batch-size", "--bs", "--batchsize", "--minibatch"}, "--batch", ""},
    {{"--learning-rate", "--learning_rate", "--alpha", "--eta", "--step-size"}, "--lr", ""},
    {{"--lr-decay", "--lr-schedule", "--lr-scheduler", "--scheduler", "--gamma", "--decay",
      "--warmup", "--cosine"},
     "--schedule",
     ""},
    {{"--lr-decay", "--lr-schedule", "--lr-scheduler", "--scheduler", "--gamma", "--decay",
      "--cosine"},
     "--final-lr",
     "write --final-lr 0.1: the share of itself that the rate falls to"},
    {{"--val", "--valid", "--validation", "--val-data", "--valid-data", "--dev", "--test"},
     "--valid",
     ""},
    {{"--val", "--valid", "--validation", "--val-data", "--valid-data", "--dev", "--test"},
     "",
     "`taugrad eval DIR --data FILE` measures a model on other data"},
    {{"--early-stopping", "--early-stop", "--stop-after"}, "--patience", ""},
    {{"--optim", "--opt", "--solver", "--algorithm"}, "--optimizer", ""},
    {{"--wd", "--l2", "--regularization"}, "--weight-decay", ""},
    {{"--clip-grad", "--grad-clip", "--max-grad-norm", "--gradient-clipping", "--clipnorm"},
     "--clip",
     ""},
    {{"--train", "--train-data", "--dataset", "--corpus", "--file", "--text", "--input",
      "--data-dir", "--path"},
     "--data",
     ""},
    {{"--save", "--save-dir", "--checkpoint-dir", "--out", "--outdir", "--out-dir", "--output-dir",
      "--log-dir", "--logdir", "--model-dir"},
     "--output",
     "write -o"},
    {{"--load-model", "--pretrained", "--restore", "--from", "--ckpt", "--continue"},
     "--resume",
     ""},
    {{"--random-seed", "--manual-seed", "--rng"}, "--seed", ""},
    {{"--png", "--pdf", "--jpg", "--jpeg", "--eps", "--gif"},
     "--format",
     "Graphviz makes other pictures of DOT text, the form without -o: | dot -Tpng > FILE.png"},
    {{"--svg"}, "--format", "write --format svg, or -o FILE.svg"},
    {{"--dot", "--graphviz"}, "--format", "write --format dot, or -o FILE.dot"},
    {{"--html"}, "--format", "write --format, or -o with a suffix"},
    {{"--folded", "--fold", "--circuit"}, "--view", "write --view folded"},
    {{"--unfolded", "--unfold", "--unroll", "--unrolled"}, "--view", "write --view unfolded"},
    {{"--gradient", "--grad", "--backward", "--gradients"}, "--view", "write --view gradient"},
    {{"--T", "--t", "--tau", "--timesteps", "--time-steps", "--seq-len", "--seqlen",
      "--sequence-length", "--length", "--len", "--num-steps"},
     "--steps",
     ""},
    {{"--eps", "--epsilon", "--tol", "--atol", "--rtol", "--tolerance", "--delta"},
     "--method",
     "steps and tolerance follow from the numbers themselves; --method central takes differences"},
    {{"--gpu", "--cuda", "--device", "--mps", "--tpu"},
     "",
     "it runs on the processor; --threads says on how many cores"},
    {{"--workers", "--num-workers", "--jobs", "--cores", "--cpus", "--num-threads"},
     "--threads",
     ""},
    {{"--dropout", "--drop"}, "--dropout", ""},
    {{"--dropout", "--drop"}, "", "dropout(a, p) stands in an equation, where it acts"},
    {{"--temp"}, "--temperature", ""},
    {{"--topk", "--top_k"}, "--top-k", ""},
    {{"--topp", "--top_p", "--nucleus"}, "--top-p", ""},
    {{"--beams", "--num-beams", "--beam-size", "--beam-width"}, "--beam", ""},
    {{"--num", "--n", "--num-samples", "--n-samples", "--samples", "--number"}, "--count", ""},
    {{"--prefix", "--start", "--seed-text", "--prime", "--context"}, "--prompt", ""},
    {{"--verbose", "--debug", "--progress"}, "", "progress is told anyway; -q is quiet"},
    {{"--silent", "--no-progress"}, "", "write -q"},
    {{"--fp32", "--float32", "--float"}, "--dtype", "write --dtype f32"},
    {{"--fp64", "--float64", "--double"}, "--dtype", "write --dtype f64"},
    {{"--bf16", "--fp16", "--half", "--amp"}, "--precision", "write --precision bf16"},
};

struct CommandWords {
  std::string_view ours;
  std::initializer_list<std::string_view> theirs;
};
const CommandWords kCommandWords[]{
    {"show",
     {"plot", "draw", "visualize", "visualise", "view", "render", "graph", "picture", "unfold",
      "unroll", "fold"}},
    {"check", {"test", "gradcheck", "gradient-check", "verify", "prove", "grad", "validate"}},
    {"run", {"eval-graph", "forward", "evaluate-graph", "exec", "execute", "compute"}},
    {"train", {"fit", "learn", "optimize", "train-model"}},
    {"eval", {"evaluate", "score", "measure"}},
    {"sample", {"generate", "gen", "write", "decode"}},
    {"define", {"new", "init", "create", "layer", "layers", "make"}},
    {"ops", {"operations", "list", "ls"}},
    {"inspect", {"info", "summary", "describe", "stat", "cat"}},
    {"diff", {"compare", "cmp"}},
    {"bench", {"benchmark", "perf", "profile", "time", "speed"}},
};

bool among(std::initializer_list<std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

std::string foreign_option_help(const Command& c, std::string_view option) {
  for (const OptionWords& row : kOptions) {
    if (!among(row.theirs, option)) continue;
    const bool has = std::ranges::find(c.options, row.ours, &Option::name) != c.options.end();
    if (!row.ours.empty() && !has) continue;
    return row.help.empty() ? fmt::format("write {}", row.ours) : std::string(row.help);
  }
  return {};
}

std::string_view own_command(std::string_view name) {
  for (const CommandWords& row : kCommandWords)
    if (among(row.theirs, name)) return row.ours;
  return {};
}

}  // namespace taugrad::cli
