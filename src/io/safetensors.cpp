#include "taugrad/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/digest.h"
#include "base/fail.h"
#include "base/limits.h"
#include "base/system/files.h"
#include "base/utf8.h"
#include "io/safetensors_header.h"
#include "io/safetensors_pieces.h"
#include "json/json_writer.h"

namespace taugrad {
namespace {

// IEEE binary16 to binary32
float from_half(std::uint16_t h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16;
  const std::uint32_t exponent = (h >> 10) & 0x1Fu;
  const std::uint32_t fraction = h & 0x3FFu;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

float from_bfloat(std::uint16_t b) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16);
}

template <class From, class To, class F>
void convert(std::span<const std::byte> bytes, std::span<To> to, F f) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    From x;
    std::memcpy(&x, bytes.data() + i * sizeof(From), sizeof(From));
    to[i] = f(x);
  }
}

void convert(std::string_view type, std::span<const std::byte> bytes, Tensor& t) {
  const auto integer = [](auto x) { return static_cast<std::int64_t>(x); };
  if (type == "F16") convert<std::uint16_t>(bytes, t.values<float>(), from_half);
  if (type == "BF16") convert<std::uint16_t>(bytes, t.values<float>(), from_bfloat);
  if (type == "I32") convert<std::int32_t>(bytes, t.values<std::int64_t>(), integer);
  if (type == "U8") convert<std::uint8_t>(bytes, t.values<std::int64_t>(), integer);
  if (type == "BOOL")
    convert<std::uint8_t>(bytes, t.values<std::int64_t>(), [](auto x) { return x != 0 ? 1 : 0; });
}

// the tensors are those that the file's own digest was made of, where it has one
void check_digest(const ByteSource& source, const Metadata& metadata, const Tensors& tensors,
                  const std::vector<Diagnostic>* warnings) {
  const auto told = metadata.find(kDigestKey);
  if (told == metadata.end()) return;
  const std::string found = digest_of(tensors);
  if (found == told->second) return;
  Diagnostic d;
  d.code = "C002";
  d.message = fmt::format("{} is damaged: its digest is {}, expected {}", source.name, found,
                          printable(told->second, 80));
  d.file = source.name;
  d.help = fmt::format(
      "restore it; tensors put there on purpose are saved without the metadata \"{}\"", kDigestKey);
  std::vector<Diagnostic> all{std::move(d)};
  if (warnings != nullptr) all.insert(all.end(), warnings->begin(), warnings->end());
  throw Error(Status::bad_input, std::move(all));
}

Tensors read_all(const ByteSource& source, std::vector<Diagnostic>* warnings, Metadata* metadata) {
  SafetensorsHeader header = read_header(source);
  Tensors tensors;
  for (const StoredTensor& s : header.tensors) {
    Tensor t = read_tensor(source, header, s);
    if (warnings != nullptr)
      if (const std::int64_t bad = count_not_finite(t); bad > 0)
        warnings->push_back(not_finite_warning(source.name, s.name, bad, t.size()));
    tensors.emplace(s.name, std::move(t));
  }
  check_digest(source, header.metadata, tensors, warnings);
  if (metadata != nullptr) *metadata = std::move(header.metadata);
  return tensors;
}

std::string_view stored_name(Dtype d) {
  return d == Dtype::f64 ? "F64" : d == Dtype::f32 ? "F32" : "I64";
}

void check_name(const std::string& name) {
  if (name == "__metadata__" || name.size() > limits::kNameBytes || !is_utf8(name))
    fail(Status::bad_input, "S012",
         "a tensor cannot be saved as \"{}\": a name is UTF-8, at most {} bytes, not "
         "\"__metadata__\"",
         printable(name, 80), limits::kNameBytes);
}

using Order = std::vector<const Tensors::value_type*>;

// As tensors stand in the file: large elements first, then by name.
Order order_of(const Tensors& tensors) {
  Order order;
  for (const auto& item : tensors) {
    check_name(item.first);
    order.push_back(&item);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return size_of(a->second.dtype()) > size_of(b->second.dtype());
  });
  return order;
}

// Length and text of the header, padded so that the data stand at a multiple of 8 bytes.
std::string header_bytes(const Order& order, const Metadata& metadata) {
  std::string text = "{";
  const auto key = [&](std::string_view name) {
    if (text.back() != '{') text += ',';
    json::append_string(text, name);
    text += ':';
  };
  if (!metadata.empty()) {
    key("__metadata__");
    text += '{';
    for (const auto& [name, value] : metadata) {
      key(name);
      json::append_string(text, value);
    }
    text += '}';
  }
  std::size_t at = 0;
  for (const auto* item : order) {
    const Tensor& t = item->second;
    key(item->first);
    text += fmt::format("{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{},{}]}}",
                        stored_name(t.dtype()), dims_text(t.dims()), at, at + t.bytes().size());
    at += t.bytes().size();
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + text;
}

}  // namespace

std::string digest_of(const Tensors& tensors) {
  Digest d;
  for (const auto& [name, t] : tensors) {
    d.add(fmt::format("{} {} {}\n", name, to_string(t.dtype()), dims_text(t.dims())));
    d.add({reinterpret_cast<const char*>(t.bytes().data()), t.bytes().size()});
  }
  return d.text();
}

std::int64_t count_not_finite(const Tensor& t) {
  const auto count = [](const auto& values) {
    return std::count_if(values.begin(), values.end(), [](auto x) { return !std::isfinite(x); });
  };
  if (t.dtype() == Dtype::f32) return count(t.values<float>());
  if (t.dtype() == Dtype::f64) return count(t.values<double>());
  return 0;
}

Diagnostic not_finite_warning(const std::string& file, const std::string& name, std::int64_t count,
                              std::int64_t of) {
  Diagnostic d;
  d.code = "S101";
  d.message =
      fmt::format("{} of {} values of \"{}\" are not finite", count, of, printable(name, 80));
  d.file = file;
  return d;
}

Tensor read_tensor(const ByteSource& source, const SafetensorsHeader& header,
                   const StoredTensor& s) {
  Tensor t(s.dims, s.type->dtype);
  if (s.type->bytes == size_of(s.type->dtype)) {
    source.read(header.data_start + s.begin, t.bytes());
    return t;
  }
  std::vector<std::byte> bytes(s.end - s.begin);
  source.read(header.data_start + s.begin, bytes);
  convert(s.type->name, bytes, t);
  return t;
}

Tensors parse_safetensors(std::span<const std::byte> bytes, std::string_view name,
                          std::vector<Diagnostic>* warnings, Metadata* metadata) {
  const auto copy = [&](std::uint64_t offset, std::span<std::byte> to) {
    if (!to.empty()) std::memcpy(to.data(), bytes.data() + offset, to.size());
  };
  return read_all({std::string(name), bytes.size(), copy}, warnings, metadata);
}

Tensors load_safetensors(const std::string& path, std::vector<Diagnostic>* warnings,
                         Metadata* metadata) {
  if (path == "-") {
    const std::string text = read_file(path, std::string().max_size() / 4);
    return parse_safetensors(std::as_bytes(std::span(text)), "standard input", warnings, metadata);
  }
  const InputFile file(path);
  return read_all({path, file.size(),
                   [&](std::uint64_t offset, std::span<std::byte> to) { file.read(offset, to); }},
                  warnings, metadata);
}

std::vector<std::string_view> safetensors_pieces(const Tensors& tensors, const Metadata& metadata,
                                                 std::string& header) {
  const Order order = order_of(tensors);
  header = header_bytes(order, metadata);
  std::vector<std::string_view> pieces = {header};
  for (const auto* item : order) {
    const std::span<const std::byte> data = item->second.bytes();
    pieces.emplace_back(reinterpret_cast<const char*>(data.data()), data.size());
  }
  return pieces;
}

void save_safetensors(const std::string& path, const Tensors& tensors, const Metadata& metadata) {
  std::string header;
  const auto pieces = safetensors_pieces(tensors, metadata, header);
  OutputFile file(path);
  for (const std::string_view piece : pieces) file.write(piece);
  file.commit();
}

std::string safetensors_bytes(const Tensors& tensors, const Metadata& metadata) {
  std::string header, bytes;
  for (const std::string_view piece : safetensors_pieces(tensors, metadata, header)) bytes += piece;
  return bytes;
}

}  // namespace taugrad
