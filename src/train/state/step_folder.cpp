#include "train/state/step_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/digest.h"
#include "base/fail.h"
#include "base/limits.h"
#include "base/system/files.h"
#include "base/system/posix.h"
#include "base/utf8.h"
#include "json/json.h"
#include "json/json_writer.h"
#include "train/state/own_digest.h"

namespace taugrad {
namespace {

constexpr std::string_view kStep = "step-";
constexpr int kFormat = 1;
constexpr int kMostTries = 1000;

std::string in(const std::string& folder, const std::string& name) { return folder + "/" + name; }

bool exists(const std::string& path) {
  struct stat s {};
  return ::stat(path.c_str(), &s) == 0;
}

/// A count without sign or leading zeros.
std::optional<std::int64_t> count_from(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.starts_with('-') ||
      (digits.size() > 1 && digits.front() == '0'))
    return {};
  return value;
}

std::string digest_of_file(const InputFile& file) {
  Digest digest;
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  for (std::uint64_t at = 0; at < file.size();) {
    const std::span<std::byte> part =
        std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), file.size() - at));
    file.read(at, part);
    digest.add({reinterpret_cast<const char*>(part.data()), part.size()});
    at += part.size();
  }
  return digest.text();
}

[[noreturn]] void fail_damaged(const std::string& path, const std::string& why) {
  Diagnostic d;
  d.code = "C002";
  d.message = fmt::format("{} is damaged: {}", printable(path), why);
  d.file = path;
  fail(Status::bad_input, std::move(d));
}

/// @throws Error (C001, C002)
void check_whole(const std::string& step) {
  for (const OutputFolder::File& file : read_manifest(step).files) {
    const std::string path = in(step, file.name);
    if (!exists(path)) fail_damaged(path, "it is missing");
    const InputFile open(path);
    if (open.size() != file.bytes)
      fail_damaged(path, fmt::format("it has {} bytes, {} were saved", open.size(), file.bytes));
    if (const std::string found = digest_of_file(open); found != file.digest)
      fail_damaged(path, fmt::format("its digest is {}, expected {}", found, file.digest));
  }
}

std::int64_t preferred_run(const std::vector<Step>& steps, const std::string& latest) {
  std::int64_t run = 0;
  for (const Step& s : steps) {
    if (!s.manifest) continue;
    if (s.name == latest) return s.manifest->run;
    run = std::max(run, s.manifest->run);
  }
  return run;
}

[[noreturn]] void fail_no_model(const std::string& folder) {
  Diagnostic d;
  d.code = "I001";
  d.message = fmt::format(
      "{} is not the folder of a model: it has neither step-N nor definition.json", folder);
  d.help = "`taugrad train DEF --data FILE -o DIR` makes one";
  fail(Status::io, std::move(d));
}

/// The first of the steps that is whole; none where one has gone while it was looked at.
std::optional<ModelPlace> first_whole(const std::string& folder, const std::vector<Step>& steps) {
  ModelPlace place;
  std::vector<Diagnostic> problems;
  Status status = Status::bad_input;
  for (const Step& s : steps) {
    place.folder = in(folder, s.name);
    try {
      check_whole(place.folder);
      place.whole = true;
      break;
    } catch (const Error& e) {
      if (!exists(place.folder)) return {};
      const Diagnostic& d = e.diagnostics().front();
      if ((e.status() != Status::bad_input && e.status() != Status::io) || d.code == "C005") throw;
      if (problems.empty()) status = e.status();
      problems.push_back(d);
    }
  }
  if (!place.whole) {
    if (!exists(in(folder, "definition.json"))) throw Error(status, problems);
    place.folder = folder;
  }
  for (Diagnostic& d : problems) d.message += fmt::format("; {} is used", printable(place.folder));
  place.passed_over = std::move(problems);
  return place;
}

}  // namespace

std::optional<StepName> step_name_from(std::string_view name) {
  if (!name.starts_with(kStep)) return {};
  name.remove_prefix(kStep.size());
  const std::size_t dash = std::min(name.find('-'), name.size());
  const auto updates = count_from(name.substr(0, dash));
  if (!updates) return {};
  if (dash == name.size()) return StepName{*updates, 1};
  const auto copy = count_from(name.substr(dash + 1));
  return copy && *copy > 1 ? std::optional(StepName{*updates, *copy}) : std::nullopt;
}

std::string to_json(const Manifest& m) {
  json::Writer w(2);
  w.begin_object().field("format", kFormat).field("run", m.run).key("files").begin_object();
  for (const OutputFolder::File& file : m.files) {
    w.key(file.name).begin_object();
    w.field("bytes", std::to_string(file.bytes)).field("digest", file.digest).end_object();
  }
  w.end_object().end_object();
  return with_own_digest(w.text());
}

Manifest read_manifest(const std::string& step) {
  const std::string path = in(step, kManifest);
  if (!exists(path)) {
    Diagnostic d;
    d.code = "C001";
    d.message = fmt::format("{} is not whole: it has no {}", printable(step), kManifest);
    d.file = step;
    fail(Status::bad_input, std::move(d));
  }
  try {
    const json::Document document(read_file(path, limits::kJsonBytes), path, "a manifest");
    const json::Fields f(document.root_object(), "a manifest",
                         {"format", "run", "files", "digest"});
    check_own_digest(document, f);
    if (f.at("format").integer("format", 1, INT32_MAX) != kFormat)
      f.at("format").fail("C005", "the step's format is newer than this program supports",
                          "upgrade taugrad");
    Manifest m{f.at("run").integer("run", 1, INT64_MAX), {}};
    for (const json::Member& file : f.at("files").members("files")) {
      const json::Fields of(file.value, "a file", {"bytes", "digest"});
      const auto bytes = count_from(of.at("bytes").string("bytes"));
      if (!bytes) of.at("bytes").fail("C002", "\"bytes\" is not a count");
      m.files.push_back({std::string(file.name()), static_cast<std::uint64_t>(*bytes),
                         std::string(of.at("digest").string("digest"))});
    }
    f.at("digest");
    return m;
  } catch (const Error& e) {
    if (e.status() != Status::bad_input || e.diagnostics().front().code == "C005") throw;
    fail_damaged(path, e.diagnostics().front().message);
  }
}

std::string named_by(const std::string& run, const char* file) {
  const std::string path = in(run, file);
  if (!exists(path)) return {};
  try {
    std::string name = read_file(path, limits::kNameBytes);
    name.erase(std::min(name.find('\n'), name.size()));
    return name;
  } catch (const Error&) {
    return {};  // the steps themselves tell as much
  }
}

std::vector<Step> steps_of(const std::string& run) {
  std::vector<Step> steps;
  for (const std::string& name : posix::names_in(run)) {
    const auto number = step_name_from(name);
    if (!number) continue;
    Step step{name, *number, {}};
    try {
      step.manifest = read_manifest(in(run, name));
    } catch (const Error& e) {
      if (e.status() != Status::bad_input && e.status() != Status::io) throw;
    }
    steps.push_back(std::move(step));
  }
  const std::int64_t preferred = preferred_run(steps, named_by(run, kLatest));
  const auto key = [&](const Step& s) {
    return std::pair(!s.manifest || s.manifest->run == preferred, s.number);
  };
  std::ranges::sort(steps, [&](const Step& a, const Step& b) { return key(a) > key(b); });
  return steps;
}

ModelPlace newest_whole(const std::string& folder) {
  for (int tries = 0; tries < kMostTries; ++tries) {
    const std::vector<Step> steps = steps_of(folder);
    if (steps.empty() && exists(in(folder, kManifest))) {  // a step by itself
      check_whole(folder);
      return {folder, true, {}};
    }
    if (steps.empty()) {
      if (!exists(in(folder, "definition.json"))) fail_no_model(folder);
      return {folder, false, {}};
    }
    if (std::optional<ModelPlace> place = first_whole(folder, steps)) return *place;
  }
  fail(Status::io, "I001", "{}: its steps are replaced faster than they can be read", folder);
}

bool is_gone(const ModelPlace& place) { return !exists(place.folder); }

}  // namespace taugrad
