#include "taugrad/language/register_op.h"

#include <dlfcn.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <optional>
#include <set>

#include "base/fail.h"
#include "base/system/files.h"
#include "base/utf8.h"
#include "language/syntax/flat_definition.h"
#include "ops/own.h"

namespace taugrad {
namespace {

[[noreturn]] void refuse(const Op& op, const std::string& why, std::string help = {}) {
  Diagnostic d;
  d.code = "U024";
  d.message = fmt::format("the operation \"{}\" {}", printable(std::string(op.name), 80), why);
  d.help = std::move(help);
  fail(Status::usage, std::move(d));
}

bool is_word(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && text.size() <= 64 && letter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || digit(c); });
}

void check_name(const Op& op) {
  if (!is_word(op.name)) refuse(op, "needs a name of letters, digits and _, at most 64");
  const bool reserved = op.name == "last" || op.name == "chain" || is_function_name(op.name);
  if (find_op(op.name) != nullptr || reserved)
    refuse(op, "has a name that is taken",
           "`taugrad ops` lists the operations, docs/language.md the functions");
  if (own_ops() >= kMostOwnOps) refuse(op, fmt::format("is one too many: there are {}", own_ops()));
}

void check_record(const Op& op) {
  check_name(op);
  if (op.traits.leaf || (op.arity < 1 && op.arity != kAnyArity))
    refuse(op, fmt::format("has {} inputs: 1 or more, or kAnyArity", op.arity));
  if (op.traits.elementwise && op.arity == kAnyArity)
    refuse(op, "is elementwise, and so has a known number of inputs");
  if (op.shape == nullptr)
    refuse(op, "has no shape rule", "Op::shape; one_shape serves elementwise ones");
  const Forwards& f = op.forward;
  if (!f.f32 || !f.f64 || !f.c128)
    refuse(op,
           fmt::format("has no forward rule for {}", !f.f32   ? "f32"
                                                     : !f.f64 ? "f64"
                                                              : "c128 (complex step)"),
           "forwards<Rule>() makes them from one template");
  if (op.vjp == nullptr && !op.traits.discrete)
    refuse(op, "has no vjp", "or is discrete: piecewise constant, without a gradient");
}

// What registering says is kept while a library is loaded: no exception crosses dlopen.
struct Loading {
  bool now = false;
  std::optional<Error> why;
};
Loading& loading() {
  static Loading state;
  return state;
}

[[noreturn]] void fail_load(const std::string& path, const std::string& why, std::string help) {
  Diagnostic d;
  d.code = "I005";
  d.message = fmt::format("{} is no library of operations: {}", printable(path), printable(why));
  d.help = std::move(help);
  fail(Status::io, std::move(d));
}

void* open_library(const std::string& path) {
  loading() = {.now = true, .why = {}};
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  loading().now = false;
  if (loading().why) throw Error(*loading().why);
  if (library == nullptr) {
    const char* why = ::dlerror();
    fail_load(path, why != nullptr ? why : "it cannot be loaded",
              "build it with -shared -fPIC against the headers of this version");
  }
  return library;
}

}  // namespace

const Op& register_op(const Op& op) {
  try {
    check_record(op);
  } catch (const Error& why) {
    if (!loading().now) throw;
    if (!loading().why) loading().why = why;
    return op;  // the library is refused as a whole
  }
  return add_to_registry(op);
}

void load_operations(const std::string& path) {
  static std::set<std::string> loaded;
  const InputFile file(path);  // says where there is none, or a folder
  char resolved[PATH_MAX];
  const std::string real = ::realpath(path.c_str(), resolved) != nullptr ? resolved : path;
  if (loaded.contains(real)) return;
  const std::size_t before = own_ops();
  void* library = open_library(real);
  if (void* entry = ::dlsym(library, "taugrad_register")) reinterpret_cast<void (*)()>(entry)();
  if (own_ops() == before)
    fail_load(path, "it registers none",
              "call register_op in a static initialiser, or in extern \"C\" void "
              "taugrad_register()");
  loaded.insert(real);
}

}  // namespace taugrad
