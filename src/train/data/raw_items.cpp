#include "train/data/raw_items.h"

#include <algorithm>

#include "base/fail.h"
#include "evaluate/leaves/batch_data.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

bool names_something(const ResolvedModel& model, const std::string& name) {
  return model.find(name) >= 0 || name == "item" || name == "lengths" ||
         name.starts_with("lengths:") || name.starts_with("cotangent:");
}

/// f(), whose errors are of a file.
template <class F>
auto in_file(const std::string& file, const F& f) {
  try {
    return f();
  } catch (const Error& e) {
    std::vector<Diagnostic> problems = e.diagnostics();
    for (Diagnostic& p : problems)
      if (p.file.empty()) p.file = file;
    throw Error(e.status(), std::move(problems));
  }
}

/// The places of one item in a batch's tensor [index..., batch, shape...].
Tensor item_of(const Tensor& batch, std::size_t axes, std::int64_t item, const Dims& own) {
  Dims dims = own;
  dims.insert(dims.end(), batch.dims().begin() + static_cast<std::ptrdiff_t>(axes) + 1,
              batch.dims().end());
  Tensor t(dims, batch.dtype());
  std::int64_t size = 1;
  for (std::size_t a = axes + 1; a < batch.dims().size(); ++a) size *= batch.dims()[a];
  const std::int64_t items = batch.dims()[axes];
  for (std::int64_t row = 0; size > 0 && row < t.size() / size; ++row) {
    std::int64_t rest = row, from = 0, stride = 1;
    for (std::size_t a = axes; a-- > 0; stride *= batch.dims()[a], rest /= own[a])
      from += rest % own[a] * stride;
    for (std::int64_t i = 0; i < size; ++i)
      t.set(row * size + i, batch.at((from * items + item) * size + i));
  }
  return t;
}

}  // namespace

bool is_blank_line(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

RawItem raw_line(const ResolvedModel& model, std::string_view line,
                 const std::shared_ptr<const std::string>& file, int number, bool ignore_unknown) {
  const auto wanted = [&](const std::string& field) { return names_something(model, field); };
  try {
    return {ignore_unknown ? item_from_json(line, *file, number, wanted)
                           : item_from_json(line, *file, number),
            file, number};
  } catch (const Error& e) {
    if (e.status() != Status::bad_input) throw;
    Diagnostic p = e.diagnostics().front();
    p.file = *file;
    p.line = number;
    throw Error(Status::bad_input, std::move(p));
  }
}

std::vector<RawItem> items_of_lines(const Definition& d, std::string_view text,
                                    const std::string& file, bool ignore_unknown) {
  const auto model = resolve(d);
  const auto name = std::make_shared<const std::string>(file);
  std::vector<RawItem> items;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (is_blank_line(line)) continue;
    try {
      items.push_back(raw_line(*model, line, name, number, ignore_unknown));
    } catch (const Error& e) {
      if (e.status() != Status::bad_input) throw;
      items.push_back({{}, name, number, false, e.diagnostics()});
    }
  }
  if (items.empty())
    fail(Status::bad_input, "D001", "{} is empty", file == "-" ? "standard input" : file);
  return items;
}

std::vector<RawItem> items_of_tensors(const Definition& d, const Tensors& batch,
                                      const std::string& file) {
  const auto model = resolve(d);
  const BatchData data = in_file(file, [&] { return read_batch(*model, batch, RunOptions{}); });
  const auto name = std::make_shared<const std::string>(file);
  if (data.items == 0) fail(Status::bad_input, "D001", "{} is empty", file);
  std::vector<RawItem> items;
  for (std::int64_t i = 0; i < data.items; ++i) {
    RawItem item{{}, name, 0, true, {}, i};
    for (const auto& [variable, t] : batch) {
      const int s = model->find(variable);
      if (s < 0) continue;  // lengths, item
      const std::vector<int>& axes = model->symbols[static_cast<std::size_t>(s)].axes;
      Dims own;
      for (const int axis : axes)
        own.push_back(data.lengths[static_cast<std::size_t>(
            model->index_length[static_cast<std::size_t>(axis)])][static_cast<std::size_t>(i)]);
      item.fields.values.emplace(variable, item_of(t, axes.size(), i, own));
    }
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace taugrad
