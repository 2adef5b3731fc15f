#include "taugrad/io/tensors.h"

#include <algorithm>

#include "base/fail.h"
#include "base/limits.h"
#include "base/system/files.h"
#include "base/system/memory_limit.h"
#include "base/system/suffix.h"
#include "base/utf8.h"
#include "io/file_kind.h"
#include "io/item_json.h"
#include "io/nested_numbers.h"
#include "io/safetensors_header.h"
#include "json/json.h"
#include "json/json_writer.h"
#include "taugrad/io/safetensors.h"

namespace taugrad {
namespace {

using json::Kind;
using json::Value;

bool is_json(std::string_view path) { return has_suffix(path, ".json"); }

Tensor read_tensor(const std::string& name, Value v, ItemFields* item = nullptr) {
  NestedNumbers numbers(name, {.nulls = item != nullptr, .words = item != nullptr});
  if (!v.is(Kind::object)) {
    numbers.nested(v);
    Dims dims = numbers.dims();
    if (item != nullptr && !numbers.nulls().empty()) item->nulls.emplace(name, numbers.nulls());
    if (!numbers.words().empty()) item->words.emplace(name, std::move(numbers.words()));
    return std::move(numbers).tensor(std::move(dims));
  }
  const json::Fields fields(v, name, {"shape", "data"});
  Dims dims;
  for (const Value& d : fields.at("shape").elements("shape"))
    dims.push_back(d.integer("shape", 0, INT32_MAX));
  const Value data = fields.at("data");
  numbers.flat(data);
  std::int64_t wanted = 0;
  try {
    wanted = checked_elements(dims);
  } catch (const Error& e) {
    data.fail("S008", fmt::format("tensor \"{}\": {}", printable(name, 80),
                                  e.diagnostics().front().message));
  }
  if (wanted != static_cast<std::int64_t>(numbers.size()))
    data.fail("S010", fmt::format("tensor \"{}\": {} needs {} values, got {}", printable(name, 80),
                                  dims_text(dims), wanted, numbers.size()));
  return std::move(numbers).tensor(std::move(dims));
}

void append_element(std::string& out, const Tensor& t, std::int64_t i) {
  if (t.dtype() == Dtype::i64)
    json::append_number(out, t.values<std::int64_t>()[static_cast<std::size_t>(i)]);
  else
    json::append_number(out, t.at(i), true);
}

void append_flat(std::string& out, const Tensor& t) {
  out += fmt::format("{{\"shape\": [{}], \"data\": []}}", fmt::join(t.dims(), ", "));
}

// brackets open and close where the flat index passes a multiple of an axis' stride
void append_nested(std::string& out, const Tensor& t) {
  std::vector<std::int64_t> block(t.dims().size());  // elements inside one array of each level
  std::int64_t elements = 1;
  for (std::size_t axis = block.size(); axis-- > 0;) block[axis] = elements *= t.dims()[axis];
  for (std::int64_t i = 0; i < t.size(); ++i) {
    if (i > 0) out += ", ";
    for (const std::int64_t b : block)
      if (i % b == 0) out += '[';
    append_element(out, t, i);
    for (const std::int64_t b : block)
      if ((i + 1) % b == 0) out += ']';
  }
}

}  // namespace

namespace {

template <class Take>
void each_tensor(std::string_view text, std::string_view file, int line, const Take& take) {
  constexpr double kValue = 64;  // bytes: in the document, in a list of its array, as a number
  require_memory("reading",
                 {{fmt::format("the text of {}", file), static_cast<double>(text.size())},
                  {"its values", static_cast<double>(json::most_values(text)) * kValue}});
  const json::Document document(text, file, "an object of tensors", line);
  for (const json::Member& m : document.root_object().members("tensors")) {
    if (m.name().size() > limits::kNameBytes)
      m.key.fail("S004", fmt::format("a tensor's name has at most {} bytes, got {}",
                                     limits::kNameBytes, m.name().size()));
    take(std::string(m.name()), m.value);
  }
}

}  // namespace

Tensors tensors_from_json(std::string_view text, std::string_view file) {
  Tensors tensors;
  each_tensor(text, file, 1, [&](const std::string& name, Value v) {
    tensors.emplace(name, read_tensor(name, v));
  });
  return tensors;
}

ItemFields item_from_json(std::string_view text, std::string_view file, int line,
                          const std::function<bool(const std::string&)>& wanted) {
  ItemFields item;
  each_tensor(text, file, line, [&](const std::string& name, Value v) {
    if (!wanted || wanted(name)) item.values.emplace(name, read_tensor(name, v, &item));
  });
  return item;
}

std::string tensors_to_json(const Tensors& tensors) {
  std::string out = "{";
  for (const auto& [name, t] : tensors) {
    out += out.size() > 1 ? ",\n  " : "\n  ";
    json::append_string(out, name);
    out += ": ";
    // nesting cannot tell [0,3] from [0]
    if (t.size() == 0 && t.dims().size() > 1)
      append_flat(out, t);
    else if (t.size() == 0)
      out += "[]";
    else
      append_nested(out, t);
  }
  return out + "\n}\n";
}

namespace {

// JSON lines and arrays are told by what they are. (Not by keys: a tensor may have any name.)
void require_tensors(std::string_view text, const std::string& path) {
  FileKind kind = FileKind::tensors;
  try {
    kind = kind_of_text(text, path);
  } catch (const Error&) {
    return;  // its own reader tells more
  }
  if (kind != FileKind::lines && kind != FileKind::array) return;
  Diagnostic d;
  d.code = "I004";
  d.message = fmt::format("{} holds {}, not tensors", printable(path), words_of(kind));
  d.file = path;
  d.help = "tensors are an object by name: {\"x\": [[0.5, 1], ..]}, or safetensors";
  fail(Status::bad_input, std::move(d));
}

}  // namespace

Tensors load_tensors(const std::string& path, std::vector<Diagnostic>* warnings) {
  if (!is_json(path)) return load_safetensors(path, warnings);
  const std::string text = read_file(path, limits::kJsonBytes);
  require_tensors(text, path);
  Tensors tensors = tensors_from_json(text, path);
  if (!warnings) return tensors;
  for (const auto& [name, t] : tensors)
    if (const std::int64_t bad = count_not_finite(t))
      warnings->push_back(not_finite_warning(path, name, bad, t.size()));
  return tensors;
}

void save_tensors(const std::string& path, const Tensors& tensors) {
  if (known_suffix(path, {"safetensors", "json"}) == "json")
    write_file(path, tensors_to_json(tensors));
  else
    save_safetensors(path, tensors);
}

}  // namespace taugrad
