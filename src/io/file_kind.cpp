#include "io/file_kind.h"

#include <cstring>
#include <optional>

#include "base/fail.h"
#include "base/limits.h"
#include "base/system/files.h"
#include "base/system/suffix.h"
#include "base/utf8.h"
#include "json/parse.h"

namespace taugrad {
namespace {

using json::Event;

constexpr std::string_view kBlanks = " \t\r\n";

// A safetensors file starts with a number of which at least one byte is 0, then '{'.
bool looks_like_safetensors(std::string_view text) {
  return text.size() >= 9 && text[8] == '{' && std::memchr(text.data(), 0, 8) != nullptr;
}

FileKind kind_of_format(std::string_view format) {
  if (format == "taugrad folded graph") return FileKind::folded;
  return format == "taugrad-model" ? FileKind::model : FileKind::report;
}

// By the first key that only one kind of file has; JSON whose every value is numbers is tensors.
class Recogniser {
 public:
  Recogniser(std::string_view text, const std::string& file)
      : source_{text, file, "a JSON object"} {}

  FileKind run() {
    const std::size_t end = json::parse(source_, [&](const json::Token& token) {
      kind_ = first_ ? kind_of_root(token.event) : kind_of(token);
      first_ = false;
      return !kind_ && depth_ > 0;
    });
    if (kind_) return *kind_;
    if (source_.text.find_first_not_of(kBlanks, end) != std::string_view::npos)
      return FileKind::lines;
    return numbers_ ? FileKind::tensors : FileKind::other;
  }

 private:
  std::optional<FileKind> kind_of_root(Event e) {
    if (e == Event::begin_array) return FileKind::array;
    if (e != Event::begin_object) return FileKind::other;
    depth_ = 1;
    return std::nullopt;
  }

  std::optional<FileKind> kind_of(const json::Token& token) {
    const Event e = token.event;
    if (format_ && e == Event::string && token.text.starts_with("taugrad"))
      return kind_of_format(token.text);
    if (e == Event::begin_object || e == Event::begin_array) ++depth_;
    if (e == Event::end_object || e == Event::end_array) --depth_;
    const bool key = e == Event::key && depth_ == 1;
    format_ = key && token.text == "format";
    numbers_ = numbers_ && e != Event::string && e != Event::boolean && e != Event::null;
    const FileKind kind = key ? kind_of_key(token.text) : FileKind::other;
    return kind == FileKind::other ? std::nullopt : std::optional(kind);
  }

  static FileKind kind_of_key(std::string_view key) {
    if (key == "nodes" || key == "extents") return FileKind::graph;
    if (key == "equations" || key == "imports" || key == "weights" || key == "index")
      return FileKind::definition;
    if (key == "symbols" || key == "states" || key == "rules") return FileKind::machine;
    return FileKind::other;
  }

  json::Source source_;
  std::optional<FileKind> kind_;
  int depth_ = 0;
  bool first_ = true, numbers_ = true;
  bool format_ = false;  // the last key was "format"
};

}  // namespace

FileKind kind_of_text(std::string_view text, const std::string& file) {
  if (looks_like_safetensors(text)) return FileKind::safetensors;
  const std::size_t start = text.find_first_not_of(kBlanks);
  const std::string_view rest = start == std::string_view::npos ? "" : text.substr(start);
  if (rest.starts_with('<') || rest.starts_with("digraph ")) return FileKind::drawing;
  return Recogniser(text, file).run();
}

FileKind kind_of_file(const std::string& path) {
  if (has_suffix(path, ".safetensors")) {
    const InputFile there(path);
    return FileKind::safetensors;
  }
  if (path != "-") {  // of a safetensors file only the start is read
    const InputFile file(path);
    char start[9] = {};
    if (file.size() >= sizeof start) file.read(0, std::as_writable_bytes(std::span(start)));
    if (looks_like_safetensors({start, sizeof start})) return FileKind::safetensors;
  }
  return kind_of_text(read_file(path, limits::kGraphBytes), path);
}

std::string words_of(FileKind kind) {
  switch (kind) {
    case FileKind::safetensors:
      return "tensors (safetensors)";
    case FileKind::graph:
      return "a graph";
    case FileKind::definition:
      return "a definition";
    case FileKind::tensors:
      return "tensors as JSON";
    case FileKind::machine:
      return "a machine description";
    case FileKind::folded:
      return "a folded graph";
    case FileKind::model:
      return "a graphical model";
    case FileKind::report:
      return "a report of a command";
    case FileKind::drawing:
      return "a drawing";
    case FileKind::lines:
      return "JSON lines";
    case FileKind::array:
      return "a JSON array";
    case FileKind::other:
      break;
  }
  return "something else";
}

void refuse_kind(FileKind kind, const std::string& file, std::string_view wanted) {
  const std::string name = printable(file);
  Diagnostic d;
  d.code = "I004";
  d.message = fmt::format("{} holds {}, not {}", name, words_of(kind), wanted);
  d.file = file;
  switch (kind) {
    case FileKind::safetensors:
    case FileKind::tensors:
      d.help = "`run DEF --weights` and `--inputs` take tensors; `inspect` says what they are";
      break;
    case FileKind::machine:
      d.help =
          fmt::format("`taugrad turing {}` runs it, `--definition FILE` keeps its network", name);
      break;
    case FileKind::definition:
    case FileKind::graph:
      d.help = fmt::format("`taugrad inspect {}` says what is in it", name);
      break;
    case FileKind::lines:
      d.help = "`train DEF --data` and `eval DIR --data` take JSON lines";
      break;
    case FileKind::array:
      d.help = "a definition is an object: {\"equations\": [..]}";
      break;
    default:
      d.help =
          "draw and print from the definition, or the graph (`show DEF --steps N --format json`)";
  }
  fail(Status::bad_input, std::move(d));
}

}  // namespace taugrad
