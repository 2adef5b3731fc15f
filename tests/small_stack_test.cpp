// Every command where the first thread has little stack (`ulimit -s`), and the library on threads
// that were made with little.
#include <pthread.h>
#include <taugrad/taugrad.h>

#include <catch2/catch.hpp>
#include <functional>
#include <vector>

#include "support_cli.h"

namespace {

using namespace taugrad;

// KiB; frames of code that is not optimised, or is watched by a sanitizer, are several times larger
#if defined(NDEBUG) && !defined(TAUGRAD_SANITIZED)
constexpr int kStackKiB = 128;
#else
constexpr int kStackKiB = 2048;
#endif

// What is called on a thread of kStackKiB KiB must not throw.
void on_small_thread(const std::function<void()>& call) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  REQUIRE(pthread_attr_setstacksize(&attributes, kStackKiB * 1024) == 0);
  const auto run = [](void* f) -> void* {
    (*static_cast<const std::function<void()>*>(f))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run, const_cast<std::function<void()>*>(&call)) ==
          0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

void run_program() {
  const Definition d = load_definition("elman");
  const Unfolded u = unfold(d, {.steps = 10});
  const Gradients g = gradient(u.loss(), {u.weight("W")});
  Program program(u.graph(), {u.loss(), g["W"]});
  program(random_inputs(d, {.steps = 10}), initial_weights(d));
}

void run_wide() {
  Definition d = load_definition("lstm");
  for (auto& size : d.sizes) size.value = 200;
  run(d, {}, {}, {.fetch = {"h"}, .steps = 10, .batch = 8});
}

void train_a_step() {
  const Definition d = load_definition("elman");
  const auto data = json_lines_dataset(d, "{\"x\":[[1,2],[2,1]],\"y\":[1,2]}\n", "items");
  Trainer trainer(d, data, {.epochs = 1});
  trainer.step();
}

}  // namespace

TEST_CASE("every command on a small stack", "[small_stack]") {
  const support::Folder f;
  std::string text;
  for (int i = 0; i < 40; ++i) text += "abab\nab\nababab\n";
  support::spill(f / "text.txt", text);
  const std::string limit = "sh -c 'ulimit -s " + std::to_string(kStackKiB) + "; ";
  for (const char* line :
       {"train char_lm --data text.txt -o model --epochs 1", "eval model --data text.txt",
        "sample model",
        "train char_lm --data text.txt -o whole --epochs 1 --split none --threads 1",
        "run char_lm --steps 60 --batch 70",
        "run lstm --steps 20 --batch 70 --size m=96 --threads 3", "check elman",
        "check lstm --steps 3", "show char_lm --steps 40 --view gradient --format svg -o x.svg",
        "show lstm --steps 200 --plan", "flow elman",
        "run char_lm --steps 40 --batch 9 --checkpoint sqrt --fetch loss"}) {
    INFO(line);
    const support::Outcome r =
        support::run_in(f, limit + "exec \"" TAUGRAD_EXECUTABLE "\" " + line + "'");
    INFO(r.err);
    CHECK(r.status == 0);
  }
}

TEST_CASE("equations of every depth on a small stack", "[small_stack]") {
  const support::Folder f;
  const auto nested = [&](const std::string& file, const std::string& open, int depth) {
    std::string equation = "y[t] = ";
    for (int i = 0; i < depth; ++i) equation += open;
    equation += "x[t]" + std::string(static_cast<std::size_t>(depth), ')');
    support::spill(f / file, R"({"name": "n", "index": {"t": "tau"}, "inputs": {"x[t]": []},
      "equations": [")" + equation +
                                 "\"]}");
    return support::run_in(f, "sh -c 'ulimit -s " + std::to_string(kStackKiB / 2) +
                                  "; exec \"" TAUGRAD_EXECUTABLE "\" run " + file + "'");
  };
  const auto check = [&](const std::string& open, int most, int deeper) {
    CAPTURE(open);
    const support::Outcome r = nested("most.json", open, most);
    INFO(r.err);
    CHECK(r.status == 0);
    const support::Outcome refused = nested("deeper.json", open, deeper);
    CHECK(refused.status == 3);
    CHECK(support::has(refused.err, "error[E002]"));
  };
  for (const char* open : {"(", "tanh(", "-(", "1 + ("}) check(open, 100, 100'000);
  check("sum[t](", 16, 17);
}

TEST_CASE("the library on a thread with a small stack", "[small_stack]") {
  for (const std::function<void()>& call : std::vector<std::function<void()>>{
           [] { run(load_definition("attention"), {}, {}, {.fetch = {"loss"}, .steps = 10}); },
           [] { check(load_definition("elman"), {.steps = 2}); },
           [] { flow(load_definition("elman"), {}, {}, {.steps = 5}); },
           [] {
             const Definition d = load_definition("end_symbol");
             sample(d, initial_weights(d), {.count = 2, .steps = 5});
           },
           [] { fold(unfold(load_definition("elman"), {.steps = 9}).graph()); },
           [] { graphical_model(load_definition("sequence_model"), 5); },
           [] {
             const Unfolded u = unfold(load_definition("elman"), {.steps = 10});
             to_svg(picture_of(u, {}));
             graph_from_json(to_json(u.graph()), "graph");
           },
           run_program, run_wide, train_a_step})
    on_small_thread(call);
}
