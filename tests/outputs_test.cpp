// Files that are written, in C++: what has been read, and what a suffix says.
#include <catch2/catch.hpp>

#include "base/system/files.h"
#include "base/system/kept_inputs.h"
#include "support_cli.h"
#include "taugrad/draw/write.h"
#include "taugrad/graph/graph.h"
#include "taugrad/io/tensors.h"

namespace {

namespace fs = std::filesystem;
using support::Folder;
using support::spill;
using namespace taugrad;

/// The code of the usage error that a call throws, "" where it throws none.
template <class Call>
std::string code_of(const Call& call) {
  try {
    call();
    return "";
  } catch (const Error& e) {
    CHECK(e.status() == Status::usage);
    return e.diagnostics().front().code;
  }
}

}  // namespace

TEST_CASE("a library's user writes what he has read", "[files]") {
  const Folder f;
  spill(f / "x.json", "{\"x\": 1}");
  save_tensors(f / "x.json", load_tensors(f / "x.json"));
  {
    const KeptInputs kept;
    read_file(f / "x.json", 1000);
    CHECK(code_of([&] { write_file(f / "x.json", "{}"); }) == "U004");
    fs::remove(f / "x.json");  // gone: its name is free, whatever file has its inode now
    write_file(f / "x.json", "{\"x\": 2}");
  }
  const KeptInputs kept;
  announce_output(f / "x.json");
  CHECK(code_of([&] { read_file(f / "x.json", 1000); }) == "U004");
}

TEST_CASE("in C++ too a suffix says what is written", "[files]") {
  const Folder f;
  const Graph g;
  for (const char* name : {"g.png", "g.pdf", "g.SVG", "g.Json", "g", "g."})
    CHECK(code_of([&] { write(g, f / name); }) == "U002");
  for (const char* name : {"t.npz", "t.JSON", "t.SAFETENSORS"})
    CHECK(code_of([&] { save_tensors(f / name, {}); }) == "U002");
  CHECK(fs::is_empty(f.path));
  save_tensors(f / "t", {});
  CHECK(load_tensors(f / "t").empty());
}
