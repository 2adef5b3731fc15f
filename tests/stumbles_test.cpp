#include <catch2/catch.hpp>
#include <filesystem>

#include "bad_definitions.h"
#include "support_cli.h"
#include "taugrad/evaluate/check.h"

// Where people stumble who come from Python, LaTeX or other tools, a line says what to write.
namespace {

using namespace taugrad;
using support::Folder;
using support::has;

struct Stumble {
  const char* line;
  const char* help;
};

// code, message and help of an equation alone
std::string told(const std::string& line) {
  try {
    check(definition_from_equations({line}));
  } catch (const Error& e) {
    const Diagnostic& d = e.diagnostics().front();
    CHECK(d.caret >= 0);
    return d.code + ": " + d.message + " (" + d.help + ")";
  }
  return "";
}

constexpr Stumble kEquations[] = {
    {"h[t] = tanh(W h[t-1] + U @ x[t])", "write W @ h[t-1]"},
    {"h[t] = tanh(W @ h[t-1] + 2 x[t])", "write 2 * x[t]"},
    {"h[t] = a (b + x[t])(c)", "@"},
    {"h(t) = tanh(W @ h(t-1))", "write h[t]: positions stand in square brackets"},
    {"h[t] = tanh(W @ h(t-1))", "write h[t-1]: positions stand in square brackets"},
    {"h[t] = tanh(W @ x(t))", "write x[t]: positions stand in square brackets"},
    {"h[t] = x[t] ** 2", "write pow(a, b)"},
    {"h[t] = x[t]^2", "write pow(a, b)"},
    {"h[t] := tanh(x[t])", "write = for a value"},
    {"h[t] <- tanh(x[t])", "write = for a value"},
    {"h[t] == tanh(x[t])", "write = for a value"},
    {"h[t] += x[t]", "h[t] = h[t-1] + .."},
    {"h[t] = W.T @ x[t]", "write transpose(W)"},
    {"h[t] = W^T @ x[t]", "transpose(W)"},
    {"h[t] = W' @ x[t]", "transpose(W)"},
    {"h[t] = Wᵀ @ x[t]", "transpose(W)"},
    {"h[t] = W @ [h[t-1], x[t]]", "write concat(a, b)"},
    {"h[t] = W @ (h[t-1], x[t])", "write concat(a, b)"},
    {"h[t] = tanh(h_{t-1})", "write h[t-1]: positions stand in brackets"},
    {"h_{t} = tanh(x[t])", "write h[t]"},
    {"h_t = tanh(W @ h_{t-1})", "write h[t-1]"},
    {"h[t] = σ(x[t])", "write sigmoid(a)"},
    {"h[t] = W · x[t]", "write @"},
    {"h[t] = a ⊙ x[t]", "write *"},
    {"h[t] = x[t] − a", "the minus of the keyboard"},
    {"h[t] = α * x[t]", "write alpha"},
    {"h[t] = \\tanh(x[t])", "by name"},
    {"h[t] = x[t] && a", "conditions"},
    {"h[t] = x[t] and a", "conditions"},
    {"h[t] = !x[t]", "1 - c"},
    {"h[t] = x[t] if a else 0", "where(condition, a, b)"},
    {"h[t] = x[t] ? a : b", "where(condition, a, b)"},
    {"h[t] = x[t]; o[t] = h[t]", "each equation by itself"},
    {"h[t] = x[t] # input", "\"about\""},
    {"h[t] = tanh(x[t]))", "one bracket too many"},
    {"h[t] = tanh(x[t]", "not closed"},
    {"y[t] = categorical(logits = x[t])", "y[t] ~ categorical"},
    {"h[t] = np.tanh(x[t])", "write tanh(..)"},
    {"h[t] = torch.sigmoid(x[t])", "write sigmoid(..)"},
    {"h[t] = dot(W, h[t-1])", "write W @ h"},
    {"h[t] = cat(h[t-1], x[t])", "write concat(a, b)"},
    {"h[t] = tahn(x[t])", "did you mean \"tanh\""},
};

}  // namespace

TEST_CASE("an equation in another notation: the help line says what to write", "[stumbles]") {
  for (const Stumble& s : kEquations) {
    const std::string text = told(s.line);
    INFO(s.line << " -> " << text);
    CHECK(has(text, s.help));
  }
  // the character is shown whole
  CHECK(has(told("h[t] = σ(x[t])"), "unexpected character 'σ'"));
}

TEST_CASE("a declared definition tells a call of its variable, and a transpose", "[stumbles]") {
  const auto first = [](const std::string& equation) {
    const std::string text = R"({"name": "d", "index": {"time": "tau"}, "inputs": {"x[time]": [2]},
      "weights": {"W": [2, 2]}, "equations": [")" +
                             equation + "\"]}";
    try {
      check(parse_definition(text, "d.json"));
    } catch (const Error& e) {
      return e.diagnostics().front().help;
    }
    return std::string();
  };
  CHECK(first("h[time] = tanh(W @ h(time - 1) + x[time])") ==
        "write h[time-1]: positions stand in square brackets");
  CHECK(first("h[time] = W @ x(time)") == "write x[time]: positions stand in square brackets");
  CHECK(first("h[time] = W @ x(3)") == "write x[3]: positions stand in square brackets");
  CHECK(first("h[time] = W @ x(W)") == "write x[t]: positions stand in square brackets");
  CHECK(first("h[time] = W.T @ x[time]") == "write transpose(W)");
}

TEST_CASE("options and commands of other tools are told ours", "[stumbles][cli]") {
  const Folder f;
  const Stumble lines[] = {
      {"train elman --data d --hidden 3", "--size m="},
      {"define lstm --hidden-size 128", "--size m="},
      {"define lstm --input-size 128", "--size n="},
      {"define lstm --num-layers 2", "write --layers"},
      {"train elman --num-layers 2", "taugrad define lstm --layers 2"},
      {"define lstm --bidir", "write --bidirectional"},
      {"train elman --batch-size 3", "write --batch"},
      {"train elman --learning-rate 3", "write --lr"},
      {"train elman --epoch 3", "did you mean \"--epochs\""},
      {"train elman --dropout 0.1", "dropout(a, p) stands in an equation"},
      {"train elman --dataset x", "write --data"},
      {"train elman --save x", "write -o"},
      {"show elman --png", "| dot -Tpng"},
      {"show elman --format png", "| dot -Tpng"},
      {"show elman --svg", "--format svg"},
      {"show elman --unrolled", "--view unfolded"},
      {"show elman --view unrolled", "did you mean \"unfolded\""},
      {"show elman --timesteps 3", "write --steps"},
      {"run elman --input x.json", "did you mean \"--inputs\""},
      {"run elman --dtype float64", "did you mean \"f64\""},
      {"check elman --eps 1e-5", "follow from the numbers"},
      {"check elman --tolerance 1e-5", "follow from the numbers"},
      {"check elman --method complex-step", "did you mean \"complex\""},
      {"check elman --cuda", "--threads"},
      {"sample m --num 3", "write --count"},
      {"define LSTM", "did you mean \"lstm\""},
      {"define bilstm", "did you mean \"lstm\""},
      {"plot elman", "did you mean \"show\""},
      {"fit elman", "did you mean \"train\""},
      {"gradcheck elman", "did you mean \"check\""},
      {"generate m", "did you mean \"sample\""},
      {"chekc elman", "did you mean \"check\""},
  };
  for (const Stumble& s : lines) {
    const auto r = support::taugrad(f, s.line);
    INFO(s.line << " -> " << r.err);
    CHECK(r.status == 2);
    CHECK(has(r.err, "help: "));
    CHECK(has(r.err, s.help));
  }
  // what is written may change the option: a schedule where there is one
  for (const std::string line : {"train elman --lr-decay 0.1", "train elman --gamma 1"})
    CHECK(has(support::taugrad(f, line).err, "help: "));
}

TEST_CASE("sizes that equations leave open are told, and how to state them", "[stumbles][cli]") {
  const Folder f;
  const std::string line = "check -e 'h[t] = concat(a, x[t]) * concat(b, h[t-1])'";
  const auto r = support::taugrad(f, line);
  CHECK(r.status == 3);
  CHECK(has(r.err, "G020"));
  CHECK(has(r.err, "state one by --size p"));
  CHECK(has(support::taugrad(f, "check -e 'h[t] = tanh(x @ W)'").err, "write x[t] for an input"));
  CHECK(has(support::taugrad(f, "check -e 'h[t] = x[t] @ W'").err, "W: a weight of [n, m]"));
}

TEST_CASE("a file of another kind is told by what it is", "[stumbles][cli]") {
  const Folder f;
  std::filesystem::create_directory(f / "folder");
  support::spill(f / "lines.json", "{\"x\": [1]}\n{\"x\": [2]}\n");
  support::spill(f / "array.json", "[[1, 2], [3, 4]]\n");
  const Stumble lines[] = {
      {"run folder", "folder is a folder, not a definition"},
      {"run lines.json", "JSON lines"},
      {"run array.json", "a JSON array"},
      {"check lines.json", "JSON lines"},
      {"run elman --inputs lines.json --weights lines.json", "holds JSON lines, not tensors"},
      {"run elman --inputs array.json --weights array.json", "holds a JSON array, not tensors"},
  };
  for (const Stumble& s : lines) {
    const auto r = support::taugrad(f, s.line);
    INFO(s.line << " -> " << r.err);
    CHECK(r.status > 0);
    CHECK(has(r.err, s.help));
    CHECK(has(r.err, "help: "));
  }
}
