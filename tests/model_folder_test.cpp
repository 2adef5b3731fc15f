// What reads the folder of a model: damage, parts that do not fit, weights of other origin.
#include "taugrad/train/model_folder.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "support_cli.h"
#include "taugrad/train/sample.h"

using namespace support;
using namespace taugrad;

namespace {

const std::string kEval = "eval model --data text.txt";
const std::string kSample = "sample model --steps 20";
const std::string kResume = "train --resume model -q";

void make_model(const Folder& f) {
  spill(f / "text.txt", "abba\ncab\nabc\ncaca\n");
  const Outcome o = support::taugrad(
      f, "train char_lm --data text.txt --size m=2 --epochs 2 --batch 2 -o run -q");
  INFO(o.err);
  REQUIRE(o.status == 0);
  copy_model(f, "run", "model");
  fs::copy(f / "model", f / "whole");
}

void restore(const Folder& f) {
  fs::remove_all(f / "model");
  fs::copy(f / "whole", f / "model");
}

// The same weights as a user's own file would hold them: without metadata.
void change_weights(const Folder& f, const std::function<void(Tensors&)>& change) {
  Tensors weights = load_safetensors(f / "whole/model.safetensors");
  change(weights);
  save_safetensors(f / "model/model.safetensors", weights);
}

void expect(const Folder& f, const std::string& line, int status, const std::string& code,
            const std::string& says) {
  const Outcome o = support::taugrad(f, line);
  INFO(line << "\n" << o.err);
  CHECK(o.status == status);
  CHECK(o.out.empty());
  CHECK(has(o.err, code));
  CHECK(has(o.err, says));
}

void expect_everywhere(const Folder& f, int status, const std::string& code,
                       const std::string& says) {
  for (const std::string& line : {kEval, kSample, kResume, std::string("diff whole model")})
    expect(f, line, status, code, says);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(has(text, from));
  return text.replace(text.find(from), from.size(), to);
}

/// All that a reader takes from a folder, as text.
std::string taken(const std::string& folder, bool resume) {
  const TrainedModel m = load_model(folder);
  std::string all = to_json(m.definition) + to_json(*m.vocabulary) + safetensors_bytes(m.weights);
  if (!resume) return all + saved_reading(m).value_or(DataOptions{.split = "none"}).split;
  const ResumeState s = load_resume_state(m).value();
  const Folder again;
  save_training(again.path.string(), m.weights, s);
  return all + slurp(again / "state.json") + slurp(again / "optimizer.safetensors");
}

}  // namespace

TEST_CASE("every byte of a model's folder that changes is told or changes nothing", "[model]") {
  const Folder f;
  make_model(f);
  const std::string folder = f / "model", before = taken(folder, false),
                    before_resume = taken(folder, true);
  // not the state's options, which belong to resuming alone, nor what the optimiser holds
  const auto harmless = [&](bool resume) {
    try {
      return taken(folder, resume) == (resume ? before_resume : before);
    } catch (const Error& e) {
      return e.status() == Status::bad_input || e.status() == Status::usage;
    }
  };
  for (const char* file : {"definition.json", "vocab.json", "model.safetensors",
                           "optimizer.safetensors", "state.json"}) {
    const bool of_resume =
        std::string(file).starts_with("optim") || std::string(file) == "state.json";
    const std::string path = folder + "/" + file, whole = slurp(path);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string torn = whole;
      torn[i] = static_cast<char>(torn[i] ^ (1 << (i % 8)));
      spill(path, torn);
      INFO(file << " byte " << i);
      REQUIRE(harmless(of_resume));
      if (i % 3 != 0) continue;
      spill(path, whole.substr(0, i));
      INFO("cut");
      REQUIRE(harmless(of_resume));
    }
    spill(path, whole);
  }
}

TEST_CASE("damaged weights are damaged for whoever reads them", "[model][cli]") {
  const Folder f;
  make_model(f);
  const std::string whole = slurp(f / "model/model.safetensors");
  std::string flipped = whole;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  spill(f / "model/model.safetensors", flipped);
  expect_everywhere(f, 3, "error[C002]", "model.safetensors is damaged");
  expect(f, "run char_lm --size m=2 --size v=4 --steps 2 --weights model/model.safetensors", 3,
         "error[C002]", "damaged");
  spill(f / "model/model.safetensors", whole.substr(0, whole.size() - 3));
  expect_everywhere(f, 3, "error[C002]", "S009");
  spill(f / "model/model.safetensors", "");
  expect_everywhere(f, 3, "error[C002]", "S001");
  restore(f);
  // one symbol for another, an equation for another: of the same sizes
  spill(f / "model/vocab.json", replaced(slurp(f / "whole/vocab.json"), "\"b\"", "\"d\""));
  expect_everywhere(f, 3, "error[C002]", "vocab.json");
  restore(f);
  spill(f / "model/definition.json",
        replaced(slurp(f / "whole/definition.json"), "gate(z[t], 3)", "gate(z[t], 1)"));
  expect_everywhere(f, 3, "error[C002]", "definition.json");
  restore(f);
  spill(f / "model/state.json", replaced(slurp(f / "whole/state.json"), "0.002", "0.003"));
  expect(f, kResume, 3, "error[C002]", "state.json is damaged");
  CHECK(support::taugrad(f, kEval).status == 0);
}

TEST_CASE("files that do not fit each other are told at once, everywhere the same",
          "[model][cli]") {
  const Folder f;
  make_model(f);
  const Tensors weights = load_safetensors(f / "model/model.safetensors");
  REQUIRE(weights.size() > 3);
  const std::string first = weights.begin()->first, last = weights.rbegin()->first;
  change_weights(f, [&](Tensors& w) { w.erase(first); });
  expect_everywhere(f, 3, "error[C003]", "\"" + first + "\" is missing");
  change_weights(f, [&](Tensors& w) {
    w.erase(first);
    w.emplace("other", Tensor({2}, Dtype::f32));
    w[last] = Tensor({7, 1}, Dtype::f32);
  });
  expect_everywhere(f, 3, "error[C003]", "3 problems");
  expect_everywhere(f, 3, "error[C003]", "\"" + last + "\" is [7,1], the model needs [");
  expect_everywhere(f, 3, "error[C003]", "\"other\" is no weight of the model");
  restore(f);
  for (const char* symbols :
       {"[\"\", \"a\", \"b\"]", "[\"\", \"a\", \"b\", \"c\", \"d\", \"e\"]"}) {
    spill(f / "model/vocab.json",
          std::string("{\"format\": 1, \"end\": true, \"symbols\": ") + symbols + "}");
    expect_everywhere(f, 3, "error[C003]", "of the model 4");
  }
  fs::remove(f / "model/vocab.json");
  expect_everywhere(f, 3, "error[C003]", "vocab.json is missing");
  change_weights(f, [](Tensors&) {});  // weights that do not tell of a vocabulary
  expect(f, kEval, 3, "error[C003]", "vocab.json is missing");
}

TEST_CASE("a weight without axes saved as [1] is one error", "[model][cli]") {
  const Folder f;
  spill(f / "scale.json", R"json({"name": "scale", "index": {"t": "tau"}, "inputs": {"x[t]": []},
    "weights": {"a": []}, "equations": ["e[t] = a * x[t] - 1"], "loss": "sum(e[t]*e[t])"})json");
  spill(f / "items.jsonl", "{\"x\": [1, 2]}\n{\"x\": [3]}\n");
  REQUIRE(support::taugrad(f, "train scale.json --data items.jsonl --epochs 1 -o run -q").status ==
          0);
  copy_model(f, "run", "model");
  const double a = load_safetensors(f / "model/model.safetensors").at("a").at(0);
  const std::string eval = "eval model --data items.jsonl";
  CHECK(support::taugrad(f, eval).status == 0);
  save_safetensors(f / "model/model.safetensors", {{"a", Tensor::of({1}, std::vector{a})}});
  for (const std::string& line : {eval, kSample, kResume})
    expect(f, line, 3, "error[C003]", "\"a\" is [1], the model needs []");
  save_safetensors(f / "model/model.safetensors", {{"a", Tensor::of({}, std::vector{a})}});
  CHECK(support::taugrad(f, eval).status == 0);
}

TEST_CASE("eval and sample read what they need", "[model][cli]") {
  const Folder f;
  make_model(f);
  const std::string eval = kEval + " --json", scores = support::taugrad(f, eval).out,
                    text = support::taugrad(f, kSample).out;
  REQUIRE(!scores.empty());
  change_weights(f, [](Tensors&) {});  // the same, of a user's own file
  CHECK(support::taugrad(f, eval).out == scores);
  CHECK(support::taugrad(f, kSample).out == text);
  change_weights(f, [](Tensors& w) {
    for (auto& [name, t] : w) t = Tensor(t.dims(), Dtype::f64);
  });
  const Outcome zeros = support::taugrad(f, eval);
  CHECK(zeros.status == 0);  // no C006: nothing is resumed
  CHECK(zeros.lines()[0]["loss_per_target"].get<double>() == Approx(std::log(4)).epsilon(1e-6));
  CHECK(support::taugrad(f, kResume).status == 3);
  restore(f);
  fs::remove(f / "model/optimizer.safetensors");
  CHECK(support::taugrad(f, eval).out == scores);
  CHECK(support::taugrad(f, kSample).out == text);
  const Outcome anew = support::taugrad(f, "train --resume model --epochs 1");
  CHECK(anew.status == 0);
  CHECK(has(anew.err, "no optimizer.safetensors: begins anew from its weights"));
  restore(f);
  spill(f / "model/state.json", replaced(slurp(f / "whole/state.json"), "adam", "tiger"));
  CHECK(support::taugrad(f, eval).out == scores);
  fs::remove(f / "model/state.json");
  const Outcome note = support::taugrad(f, kEval);
  CHECK(note.status == 0);
  CHECK(has(note.err, "--split"));
  CHECK(support::taugrad(f, eval).out == scores);
  expect(f, kResume, 2, "error[U006]", "has no state.json");
  const Outcome further =
      support::taugrad(f, "train --resume model --data text.txt --epochs 1 --lr 0.01");
  CHECK(further.status == 0);
  CHECK(has(further.err, "no state.json: begins anew from its weights"));
  CHECK(support::taugrad(f, eval).out != scores);  // the step goes before
  for (const char* file : {"model.safetensors", "definition.json"}) {
    restore(f);
    fs::remove(fs::path(f / "model") / file);
    expect_everywhere(f, 4, "error[I001]", file);
    fs::create_directory(fs::path(f / "model") / file);
    CHECK(support::taugrad(f, eval).status >= 3);
    CHECK(support::taugrad(f, kSample).status >= 3);
  }
}

TEST_CASE("unknown words of a state are errors", "[model][cli]") {
  const Folder f;
  make_model(f);
  const std::string state = slurp(f / "whole/state.json");
  struct Row {
    const char *from, *to, *says;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"\"adam\"", "\"tiger\"",
            "\"optimizer\" must be one of adam adamw sgd rmsprop adagrad lion, got tiger"},
           {"\"adam\"", "\"adma\"", "did you mean \"adam\"?"},
           {"\"adam\"", "\"Adam\"", "did you mean \"adam\"?"},
           {"\"seed\"", "\"precision\": \"fp8\", \"seed\"", "one of full bf16, got fp8"},
           {"\"split\": \"line\"", "\"split\": \"lines\"", "did you mean \"line\"?"},
           {"\"split\": \"\"", "\"split\": \"lines\"", "did you mean \"line\"?"},
           {"\"seed\"", "\"modes\": {\"y\": \"sampeld\"}, \"seed\"", "no mode"},
       }) {
    if (!has(state, row.from)) continue;
    spill(f / "model/state.json", replaced(state, row.from, row.to));
    const Outcome o = support::taugrad(f, kResume);
    INFO(row.to << "\n" << o.err);
    CHECK(o.status == 3);
    CHECK(has(o.err, "error[G010]"));
    CHECK(has(o.err, "state.json:"));
    CHECK(has(o.err, row.says));
  }
}

TEST_CASE("weights that are not finite are told", "[model][cli]") {
  const Folder f;
  make_model(f);
  const auto poison = [&](double value) {
    change_weights(f, [&](Tensors& w) { w.begin()->second.set(0, value); });
  };
  poison(std::numeric_limits<double>::quiet_NaN());
  expect(f, kSample, 3, "error[S101]", "nothing can be drawn");
  expect(f, kSample + " --temperature 0", 3, "error[S101]", "NaN");
  const Outcome eval = support::taugrad(f, kEval);
  CHECK(eval.status == 0);
  CHECK(has(eval.err, "S101"));
  expect(f, kEval + " --strict", 3, "S101", "not finite");
  CHECK(has(support::taugrad(f, "train --resume model").err, "S101"));
  poison(-std::numeric_limits<double>::infinity());
  expect(f, kSample + " --strict", 3, "S101", "not finite");
  // finite weights, and a distribution that is not
  change_weights(f, [](Tensors& w) {
    for (auto& [name, t] : w)
      for (std::int64_t i = 0; i < t.size(); ++i) t.set(i, i % 2 == 0 ? 3e38 : -3e38);
  });
  expect(f, kSample, 5, "error[N004]", "no distribution");
}
