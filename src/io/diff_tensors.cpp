#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "base/system/files.h"
#include "base/system/suffix.h"
#include "io/diff.h"
#include "io/safetensors_header.h"
#include "taugrad/io/tensors.h"

namespace taugrad {
namespace {

using Change = Difference::Change;

/// A file of tensors, read one at a time where it is safetensors.
class TensorFile {
 public:
  explicit TensorFile(const std::string& path) {
    if (has_suffix(path, ".json")) {
      loaded_ = load_tensors(path);
      return;
    }
    file_ = std::make_unique<InputFile>(path);
    source_ = {path, file_->size(),
               [this](std::uint64_t at, std::span<std::byte> to) { file_->read(at, to); }};
    header_ = read_header(source_);
    for (const StoredTensor& t : header_.tensors) stored_[t.name] = &t;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, t] : loaded_) all.push_back(name);
    for (const auto& [name, t] : stored_) all.push_back(name);
    return all;
  }
  bool has(const std::string& name) const {
    return loaded_.contains(name) || stored_.contains(name);
  }
  std::string type(const std::string& name) const {
    if (!file_) return loaded_.at(name).dtype() == Dtype::i64 ? "I64" : "F64";
    return std::string(stored_.at(name)->type->name);
  }
  Dims dims(const std::string& name) const {
    return file_ ? stored_.at(name)->dims : loaded_.at(name).dims();
  }
  Tensor read(const std::string& name) const {
    return file_ ? read_tensor(source_, header_, *stored_.at(name)) : loaded_.at(name);
  }
  std::string shown(const std::string& name) const {
    return name + ": " + type(name) + " " + dims_text(dims(name));
  }

 private:
  Tensors loaded_;
  std::unique_ptr<InputFile> file_;
  ByteSource source_;
  SafetensorsHeader header_;
  std::map<std::string, const StoredTensor*> stored_;
};

Dims position_of(std::int64_t flat, const Dims& dims) {
  Dims position(dims.size(), 0);
  for (std::size_t a = dims.size(); a-- > 0;) {
    position[a] = flat % dims[a];
    flat /= dims[a];
  }
  return position;
}

bool equal(const Tensor& a, const Tensor& b, std::int64_t i) {
  if (a.dtype() == Dtype::i64 && b.dtype() == Dtype::i64) {  // more digits than a double has
    const auto n = static_cast<std::size_t>(i);
    return a.values<std::int64_t>()[n] == b.values<std::int64_t>()[n];
  }
  const double x = a.at(i), y = b.at(i);
  return x == y || (std::isnan(x) && std::isnan(y));
}

void compare(TensorDifference& d, const Tensor& a, const Tensor& b, double tolerance) {
  for (std::int64_t i = 0; i < a.size(); ++i) {
    if (equal(a, b, i)) continue;
    const double x = a.at(i), y = b.at(i);
    const bool finite = std::isfinite(x) && std::isfinite(y);
    const double size = std::max(std::abs(x), std::abs(y));
    // integers that are not the same are 1 apart, also where doubles cannot tell
    const bool integers = a.dtype() == Dtype::i64 && b.dtype() == Dtype::i64;
    const double apart = finite ? std::max(std::abs(x - y), integers ? 1.0 : 0.0) : INFINITY;
    d.different += !finite || apart > tolerance * std::max(1.0, size);
    d.relative = std::max(d.relative, finite && size > 0 ? apart / size : apart);
    if (apart > d.largest || d.worst.empty()) {
      d.largest = apart;
      d.worst = position_of(i, d.dims);
      d.a = x;
      d.b = y;
    }
  }
}

}  // namespace

Differences diff_tensors(const std::string& a, const std::string& b, double tolerance) {
  Differences d{.kind = "tensors"};
  const TensorFile in_a(a), in_b(b);
  for (const std::string& name : in_a.names()) {
    if (!in_b.has(name)) {
      d.all.push_back({Change::removed, "tensor", name, in_a.shown(name), ""});
      continue;
    }
    const bool shapes = in_a.dims(name) == in_b.dims(name);
    TensorDifference t{name, in_a.type(name), in_b.type(name), in_a.dims(name)};
    if (shapes) compare(t, in_a.read(name), in_b.read(name), tolerance);
    if (!shapes || t.different > 0 || (tolerance == 0 && t.type_a != t.type_b))
      d.all.push_back({Change::changed, "tensor", name, in_a.shown(name), in_b.shown(name)});
    if (shapes) d.tensors.push_back(std::move(t));
  }
  for (const std::string& name : in_b.names())
    if (!in_a.has(name)) d.all.push_back({Change::added, "tensor", name, "", in_b.shown(name)});
  return d;
}

}  // namespace taugrad
