#include "io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <unordered_set>

#include "base/fail.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "json/pieces.h"

// The header of a safetensors file: 8 bytes of its length, JSON, then the data.
namespace taugrad {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

using json::Event;
using json::Token;

constexpr std::array<StoredType, 8> kTypes = {{{"F64", 8, Dtype::f64},
                                               {"F32", 4, Dtype::f32},
                                               {"F16", 2, Dtype::f32},
                                               {"BF16", 2, Dtype::f32},
                                               {"I64", 8, Dtype::i64},
                                               {"I32", 4, Dtype::i64},
                                               {"U8", 1, Dtype::i64},
                                               {"BOOL", 1, Dtype::i64}}};

class HeaderReader {
 public:
  HeaderReader(const ByteSource& source, std::string_view text, SafetensorsHeader& header)
      : source_(source), text_{text, source.name, "a safetensors header"}, header_(header) {}

  void read() {
    try {
      parse_pieces(text_, {[](const Token&) {},  // the '{' that was looked for before
                           [&](const Token& key) {
                             name_ = key.text;
                             end_ = key.end;
                             return json::Cut::whole;
                           },
                           [&](json::Tokens& value) { read_value(value); },
                           {}});
    } catch (const json::SyntaxError& e) {
      end_ = e.at_byte;
      fail_at("S004", fmt::format("header is not valid JSON: {}", e.diagnostics().front().message));
    }
  }

 private:
  void read_value(json::Tokens& value) {
    tokens_ = &value;
    if (name_ == "__metadata__")
      read_metadata();
    else
      read_entry(name_);
  }

  Event next() {
    event_ = tokens_->next();
    if (event_ != Event::end) end_ = now().end;
    return event_;
  }
  const Token& now() const { return tokens_->now(); }

  template <class... Args>
  [[noreturn]] void fail_at(std::string code, std::string message) const {
    Diagnostic d;
    d.code = std::move(code);
    d.message = std::move(message);
    d.file = source_.name;
    d.pointer = fmt::format("@byte {}", 8 + end_);
    fail(Status::bad_input, std::move(d));
  }

  void read_metadata() {
    if (!header_.metadata.empty() || metadata_seen_)
      fail_at("S005", "\"__metadata__\" is listed twice");
    metadata_seen_ = true;
    if (next() != Event::begin_object)
      fail_at("S012", "\"__metadata__\" must be an object of strings");
    while (next() == Event::key) {
      const std::string key(now().text);
      if (next() != Event::string)
        fail_at("S012", fmt::format("metadata \"{}\" must be a string", printable(key, 80)));
      if (!header_.metadata.emplace(key, now().text).second)
        fail_at("S005", fmt::format("metadata \"{}\" is listed twice", printable(key, 80)));
    }
  }

  void read_entry(const std::string& name) {
    tensor_ = fmt::format("tensor \"{}\"", printable(name, 80));
    if (name.size() > limits::kNameBytes)
      fail_at("S004", fmt::format("{}: a name has at most {} bytes, got {}", tensor_,
                                  limits::kNameBytes, name.size()));
    if (header_.tensors.size() == limits::kTensors)
      fail(Status::resource, "R002", "{} lists more than {} tensors", printable(source_.name),
           limits::kTensors);
    if (!names_.insert(name).second) fail_at("S005", tensor_ + " listed twice");
    if (next() != Event::begin_object) fail_at("S004", tensor_ + " must be an object");
    StoredTensor t;
    t.name = name;
    bool shape = false, offsets = false;
    while (next() == Event::key) {
      const std::string field(now().text);
      if (field == "dtype" && t.type == nullptr)
        t.type = &read_type();
      else if (field == "shape" && !shape)
        shape = true, t.dims = read_shape();
      else if (field == "data_offsets" && !offsets)
        offsets = true, read_offsets(t);
      else
        fail_at("S004",
                fmt::format("{}: unknown or repeated field \"{}\"", tensor_, printable(field, 80)));
    }
    if (t.type == nullptr) fail_at("S006", tensor_ + ": dtype is missing");
    if (!shape) fail_at("S007", tensor_ + ": shape is missing");
    if (!offsets) fail_at("S009", tensor_ + ": data_offsets is missing");
    check_size(t);
    header_.tensors.push_back(std::move(t));
  }

  const StoredType& read_type() {
    if (next() != Event::string) fail_at("S006", tensor_ + ": dtype must be a string");
    for (const StoredType& type : kTypes)
      if (type.name == now().text) return type;
    std::string supported;
    for (const StoredType& type : kTypes)
      supported.append(supported.empty() ? "" : " ").append(type.name);
    fail_at("S006", fmt::format("{}: unsupported dtype \"{}\" (supported: {})", tensor_,
                                printable(now().text, 40), supported));
  }

  Dims read_shape() {
    if (next() != Event::begin_array) fail_at("S007", tensor_ + ": shape must be an array");
    Dims dims;
    while (next() != Event::end_array) {
      if (event_ != Event::integer || now().integer < 0)
        fail_at("S007",
                fmt::format("{}: shape[{}] must be a non-negative integer", tensor_, dims.size()));
      if (dims.size() == static_cast<std::size_t>(limits::kTensorRank))
        fail_at("S007", fmt::format("{}: more than {} axes", tensor_, limits::kTensorRank));
      dims.push_back(now().integer);
    }
    return dims;
  }

  void read_offsets(StoredTensor& t) {
    const auto bad = [&] {
      fail_at("S009", tensor_ + ": data_offsets must be two non-negative integers");
    };
    if (next() != Event::begin_array) bad();
    std::array<std::uint64_t*, 2> ends = {&t.begin, &t.end};
    for (std::uint64_t* end : ends) {
      if (next() != Event::integer || now().integer < 0) bad();
      *end = static_cast<std::uint64_t>(now().integer);
    }
    if (next() != Event::end_array) bad();
  }

  void check_size(const StoredTensor& t) const {
    const std::uint64_t data = source_.size - header_.data_start;
    if (t.begin > t.end)
      fail_at("S009", fmt::format("{}: offsets {}..{} invalid", tensor_, t.begin, t.end));
    if (t.end > data)
      fail_at("S009", fmt::format("{}: offsets {}..{} invalid: end {} > data {}", tensor_, t.begin,
                                  t.end, t.end, data));
    std::uint64_t elements = 0;
    try {
      elements = static_cast<std::uint64_t>(checked_elements(t.dims));
    } catch (const Error&) {
      fail_at("S008", fmt::format("{}: size overflows: {}", tensor_, dims_text(t.dims)));
    }
    const std::uint64_t bytes = elements * t.type->bytes;
    if (bytes != t.end - t.begin)
      fail_at("S010", fmt::format("{}: {} {} needs {} bytes, offsets span {}", tensor_,
                                  dims_text(t.dims), t.type->name, bytes, t.end - t.begin));
  }

  const ByteSource& source_;
  json::Source text_;
  SafetensorsHeader& header_;
  json::Tokens* tokens_ = nullptr;  // of the field that is read
  Event event_ = Event::end;
  std::size_t end_ = 0;  // one past the last event's last byte, for messages
  std::string name_;
  std::string tensor_;  // "tensor "w"", for messages
  std::unordered_set<std::string> names_;
  bool metadata_seen_ = false;
};

[[noreturn]] void fail_file(const ByteSource& source, std::string code, std::string message) {
  Diagnostic d;
  d.code = std::move(code);
  d.message = std::move(message);
  d.file = source.name;
  fail(Status::bad_input, std::move(d));
}

// every byte of the data belongs to exactly one tensor
void check_cover(const ByteSource& source, SafetensorsHeader& header) {
  auto& tensors = header.tensors;
  std::sort(tensors.begin(), tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  const auto nobody = [&](std::uint64_t from, std::uint64_t to) {
    fail_file(source, "S011", fmt::format("bytes {}..{} belong to no tensor", from, to));
  };
  std::uint64_t at = 0;
  const StoredTensor* before = nullptr;
  for (const StoredTensor& t : tensors) {
    if (t.begin > at) nobody(at, t.begin);
    if (t.begin < at)
      fail_file(source, "S011",
                fmt::format("tensors \"{}\" and \"{}\" overlap", printable(before->name, 80),
                            printable(t.name, 80)));
    at = t.end;
    before = &t;
  }
  if (const std::uint64_t data = source.size - header.data_start; at < data) nobody(at, data);
}

}  // namespace

std::span<const StoredType> stored_types() { return kTypes; }

SafetensorsHeader read_header(const ByteSource& source) {
  if (source.size < 8)
    fail_file(source, "S001",
              fmt::format("file has {} bytes; a safetensors file has at least 8", source.size));
  std::uint64_t length = 0;
  source.read(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > limits::kSafetensorsHeader) {
    const auto first = static_cast<char>(length & 0xFF);
    const bool json = first == '{' || first == '[';
    fail_file(source, "S002",
              fmt::format("header length {} exceeds {}{}", length, limits::kSafetensorsHeader,
                          json ? ": this looks like JSON, whose file's name ends in .json" : ""));
  }
  if (length > source.size - 8)
    fail_file(source, "S003",
              fmt::format("header needs {} bytes, file has {}: truncated download?", length,
                          source.size - 8));
  std::string text(length, '\0');
  source.read(8, std::as_writable_bytes(std::span(text)));
  if (!text.starts_with('{')) fail_file(source, "S004", "header does not start with '{'");
  SafetensorsHeader header;
  header.data_start = 8 + length;
  HeaderReader(source, text, header).read();
  check_cover(source, header);
  return header;
}

}  // namespace taugrad
