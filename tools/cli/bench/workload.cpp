#include "bench/workload.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/fail.h"
#include "base/limits.h"
#include "base/suggest.h"
#include "base/system/files.h"
#include "base/utf8.h"
#include "json/json.h"

namespace taugrad::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostSteps = 1'000'000'000;
constexpr std::int64_t kMostItems = 1'000'000;
constexpr std::int64_t kSteps = 64;  // of a definition that is not a shipped workload

/// A line of workloads.json.
struct Entry {
  std::string name, number;
  std::int64_t steps = 0, batch = 0;
  std::vector<std::int64_t> lengths;
  std::vector<std::string> fetch;
};

/// The folder of the shipped workloads stands beside that of the definitions.
fs::path folder() {
  std::error_code ignored;
  for (const std::string& graphs : definition_folders()) {
    const fs::path found = (fs::path(graphs) / ".." / "workloads").lexically_normal();
    if (fs::exists(found / "workloads.json", ignored)) return found;
  }
  Diagnostic d;
  d.code = "I001";
  d.message = "the shipped workloads are not found";
  d.help = "TAUGRAD_GRAPHS may name the folder graphs/ that workloads/ stands beside";
  fail(Status::io, std::move(d));
}

Entry read_entry(const json::Value& value) {
  const json::Fields fields(value, "a workload",
                            {"name", "number", "steps", "batch", "lengths", "fetch"});
  Entry e;
  e.name = fields.at("name").string("name");
  e.number = fields.at("number").string("number");
  e.steps = fields.at("steps").integer("steps", 0, kMostSteps);
  e.batch = fields.at("batch").integer("batch", 1, kMostItems);
  if (const auto lengths = fields.find("lengths"))
    for (const json::Value& l : lengths->elements("lengths"))
      e.lengths.push_back(l.integer("length", 0, kMostSteps));
  if (const auto fetch = fields.find("fetch"))
    for (const json::Value& f : fetch->elements("fetch")) e.fetch.emplace_back(f.string("name"));
  return e;
}

std::vector<Entry> read_table(const fs::path& from) {
  const std::string file = (from / "workloads.json").string();
  const json::Document document(read_file(file, limits::kJsonBytes), file, "a table of workloads");
  const json::Fields fields(document.root_object(), "the table", {"workloads"});
  std::vector<Entry> table;
  for (const json::Value& v : fields.at("workloads").elements("workloads"))
    table.push_back(read_entry(v));
  return table;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Workload of_entry(const Entry& e, const fs::path& from) {
  Workload w{.name = e.name,
             .definition = load_definition((from / (e.name + ".json")).string()),
             .steps = {},
             .batch = e.batch,
             .lengths = e.lengths,
             .fetch = e.fetch};
  w.steps.steps = e.steps;
  return w;
}

/// A definition that is not a workload; where there is none, names of workloads may be meant too.
Workload of_definition(const std::string& name, const std::vector<Entry>& table,
                       const DefinitionOptions& o, const Context& context) {
  DefinitionOptions options = o;
  options.file_or_name = name;
  options.sizes.clear();  // later, for all alike
  Workload w;
  try {
    w.definition = read_definition(options, context);
  } catch (const Error& e) {
    std::vector<std::string> names;
    for (const Entry& entry : table) names.push_back(entry.name);
    const std::string help = did_you_mean(name, names);
    std::vector<Diagnostic> all = e.diagnostics();
    if (help.empty() || all.empty() || all.front().code != "I001") throw;
    all.front().help = help;
    throw Error(e.status(), std::move(all));
  }
  w.name = w.definition.name.empty() ? (name.empty() ? "equations" : name) : w.definition.name;
  w.steps.steps = kSteps;
  return w;
}

void change(Workload& w, const WorkloadOptions& o) {
  override_sizes(w.definition, o.definition);
  if (o.definition.equations.empty()) override_loss(w.definition, o.definition);
  check_steps(w.definition, o.steps);
  if (o.steps.given() && !o.lengths.empty())
    fail(Status::usage, "U006", "give --steps or --lengths, not both");
  if (o.batch > 0 && !o.lengths.empty())
    fail(Status::usage, "U006", "give --batch or --lengths, not both");
  if (o.steps.given() || o.batch > 0) w.lengths.clear();
  if (o.steps.steps >= 0) w.steps.steps = o.steps.steps;
  w.steps.lengths = o.steps.lengths;
  if (o.batch > 0) w.batch = o.batch;
  if (!o.lengths.empty()) w.lengths = o.lengths;
  if (w.lengths.empty()) return;
  w.batch = static_cast<std::int64_t>(w.lengths.size());
  w.steps.steps = std::ranges::max(w.lengths);
}

/// "5,9,3", or "16..128*32": so many items, their lengths spread evenly.
std::vector<std::int64_t> parse_lengths(const std::string& text) {
  std::vector<std::int64_t> lengths;
  const std::size_t dots = text.find(".."), star = text.find('*');
  if (dots != std::string::npos && star != std::string::npos && dots < star) {
    const auto first = parse_integer("--lengths", text.substr(0, dots), 0, kMostSteps);
    const auto last =
        parse_integer("--lengths", text.substr(dots + 2, star - dots - 2), first, kMostSteps);
    const auto items = parse_integer("--lengths", text.substr(star + 1), 1, kMostItems);
    for (std::int64_t i = 0; i < items; ++i)
      lengths.push_back(last - (items == 1 ? 0 : (last - first) * i / (items - 1)));
    return lengths;
  }
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    lengths.push_back(parse_integer("--lengths", text.substr(at, end - at), 0, kMostSteps));
    at = end + 1;
  }
  return lengths;
}

}  // namespace

void add_workload(Command& c, WorkloadOptions& o) {
  add_equations(c, o.definition, "DEF");
  add_loss(c, o.definition);
  add_sizes(c, o.definition);
  add_steps(c, o.steps, "length, or s=7,t=5 [the workload's; 64]");
  c.integer("--batch", "B", "items [the workload's; 32]", o.batch, 1, kMostItems);
  c.option({.name = "--lengths",
            .letter = "",
            .value = "LIST",
            .help = "of the items: 9,5,3, or 16..128*32: 32 of them, spread evenly",
            .take = [&o](const std::string& v) { o.lengths = parse_lengths(v); }});
}

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const Entry& e : read_table(folder())) names.push_back(e.name);
  return names;
}

Workload workload(const std::string& name, const WorkloadOptions& o, const Context& context) {
  const fs::path from = folder();
  const std::vector<Entry> table = read_table(from);
  const auto found = std::ranges::find_if(table, [&](const Entry& e) {
    return !name.empty() && (e.name == name || lower(e.number) == lower(name));
  });
  Workload w = found != table.end() ? of_entry(*found, from)
                                    : of_definition(name, table, o.definition, context);
  change(w, o);
  return w;
}

}  // namespace taugrad::cli
