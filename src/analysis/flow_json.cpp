#include "json/json_writer.h"
#include "taugrad/analysis/flow.h"

namespace taugrad {
namespace {

void numbers(json::Writer& w, std::string_view name, const std::vector<double>& values) {
  w.key(name).begin_array();
  for (const double x : values) w.value(x);
  w.end_array();
}

}  // namespace

std::string to_text(FlowVerdict v) {
  switch (v) {
    case FlowVerdict::none:
      return "none";
    case FlowVerdict::vanishing:
      return "vanishing";
    case FlowVerdict::stable:
      return "stable";
    case FlowVerdict::exploding:
      return "exploding";
  }
  return {};
}

std::string to_json(const FlowReport& r) {
  json::Writer w;
  w.begin_object().field("format", "taugrad-flow").field("version", 1).field("name", r.name);
  w.field("steps", r.steps).field("items", r.items);
  w.field("norm", r.norm == MatrixNorm::spectral ? "spectral" : "frobenius");
  w.key("variables").begin_array();
  for (const VariableFlow& v : r.variables) {
    w.begin_object().field("name", v.name).field("verdict", to_text(v.verdict));
    w.field("rate", v.rate);
    numbers(w, "gradient", v.gradient);
    numbers(w, "by_lag", v.by_lag);
    w.key("jacobian").begin_array();
    for (const std::vector<double>& row : v.jacobian) {
      w.begin_array();
      for (const double x : row) w.value(x);
      w.end_array();
    }
    w.end_array().end_object();
  }
  w.end_array().key("weights").begin_array();
  for (const WeightFlow& f : r.weights) {
    w.begin_object().field("name", f.name).field("total", f.total).key("copies").begin_array();
    for (const auto& [label, norm] : f.copies)
      w.begin_object().field("name", label).field("norm", norm).end_object();
    w.end_array().end_object();
  }
  w.end_array().end_object();
  return w.text() + "\n";
}

}  // namespace taugrad
