// Weights to begin with: of another model, or of a file.
#include <algorithm>
#include <filesystem>

#include "base/fail.h"
#include "output.h"
#include "taugrad/io/safetensors.h"
#include "training/training.h"

namespace taugrad::cli {
namespace {

// one that fits no name changes none
void require_maps_fit(const std::vector<std::string>& maps, const Tensors& weights,
                      const std::string& file) {
  for (const std::string& map : maps) {
    const std::string from = map.substr(0, map.find('='));
    if (std::ranges::any_of(weights, [&](const auto& w) { return w.first.starts_with(from); }))
      continue;
    Diagnostic d;
    d.code = "U007";
    d.message = fmt::format("--map \"{}\" has no effect: no tensor's name begins so", map);
    d.file = file;
    std::vector<std::string> names;
    for (const auto& [name, w] : weights) names.push_back(name);
    d.help = fmt::format("they are {}", fmt::join(names, ", "));
    fail(Status::usage, std::move(d));
  }
}

/// FROM=TO on the beginning of a name; the first map that fits.
std::string mapped(const std::string& name, const std::vector<std::string>& maps) {
  for (const std::string& map : maps) {
    const std::size_t equals = map.find('=');
    if (name.starts_with(map.substr(0, equals)))
      return map.substr(equals + 1) + name.substr(equals);
  }
  return name;
}

}  // namespace

std::optional<TrainedModel> Training::initial_model() const {
  if (options_.init.empty()) {
    refuse_without_effect(context_, {"--map"}, "without --init, whose names it changes");
    return {};
  }
  for (const std::string& map : options_.maps)
    if (map.find('=') == std::string::npos)
      fail(Status::usage, "U002", "--map says FROM=TO, such as 'module.lstm.=l.', not \"{}\"", map);
  std::error_code ignored;
  if (std::filesystem::is_directory(options_.init, ignored)) return load_model(options_.init);
  TrainedModel m;
  m.weights = load_safetensors(options_.init);
  return m;
}

// By name; what the file has not stays as it was drawn.
void Training::take_initial_weights(const Tensors& weights) {
  require_maps_fit(options_.maps, weights, options_.init);
  const Tensors& own = trainer_->weights();
  Tensors taken;
  std::vector<std::string> left;
  for (const auto& [name, w] : weights) {
    const std::string here = mapped(name, options_.maps);
    if (own.contains(here))
      taken.insert_or_assign(here, w);
    else
      left.push_back(name);
  }
  if (taken.empty()) {
    Diagnostic d;
    d.code = "S013";
    d.message = fmt::format("none of its {} tensors is a weight of the definition", weights.size());
    d.file = options_.init;
    std::vector<std::string> names;
    for (const auto& [name, w] : own) names.push_back(name);
    d.help = fmt::format("its weights are {}; --map 'FROM=TO' changes how names begin",
                         fmt::join(names, ", "));
    fail(Status::bad_input, std::move(d));
  }
  trainer_->set_weights(taken);
  std::string rest;
  if (taken.size() < own.size()) rest += fmt::format("; {} are drawn", own.size() - taken.size());
  if (!left.empty())
    rest += fmt::format("; {} of its tensors have no place here: {}", left.size(),
                        fmt::join(left, ", "));
  note(context_, fmt::format("{} weights from {}{}", taken.size(), options_.init, rest));
}

}  // namespace taugrad::cli
