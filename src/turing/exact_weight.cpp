// Weights as fractions inside a definition.
#include "turing/exact_weight.h"

#include "base/fail.h"
#include "json/json.h"

namespace taugrad {
namespace {

std::string number(const Rational& x) {
  const std::string text = x.to_string();
  return text.find('/') == std::string::npos && text.size() < 16 ? text : "\"" + text + "\"";
}

std::string row(const Rational* x, std::int64_t n) {
  std::string text = "[";
  for (std::int64_t i = 0; i < n; ++i) text += (i ? ", " : "") + number(x[i]);
  return text + "]";
}

Rational value_of(const json::Value& v) {
  const std::string_view text = v.is(json::Kind::string) ? v.string("a value") : v.raw();
  const std::optional<Rational> x = Rational::parse(text);
  if (!x) v.fail("G010", fmt::format("\"{}\" is not a number or a fraction", text));
  return *x;
}

void collect(const json::Value& v, std::vector<Rational>& to) {
  if (!v.is(json::Kind::array)) {
    to.push_back(value_of(v));
    return;
  }
  for (const json::Value& e : v.elements("values")) collect(e, to);  // as deep as the rank
}

}  // namespace

WeightDeclaration exact_weight(std::string name, const Dims& dims,
                               const std::vector<Rational>& values) {
  WeightDeclaration w;
  w.name = std::move(name);
  w.shape.assign(dims.size(), Text("m"));
  w.plain = false;
  std::vector<double> rounded;
  for (const Rational& x : values) rounded.push_back(x.to_double());
  w.values = Tensor::of(dims, std::move(rounded));
  const std::int64_t n = dims.back();
  if (dims.size() == 1) {
    w.values_json = row(values.data(), n);
    return w;
  }
  for (std::size_t at = 0; at < values.size(); at += static_cast<std::size_t>(n))
    w.values_json += (at ? ",\n      " : "[\n      ") + row(values.data() + at, n);
  w.values_json += "]";
  return w;
}

std::vector<Rational> exact_values(const WeightDeclaration& w) {
  if (!w.values)
    fail(Status::numerical, "N002", "weight \"{}\" has no exact values in its definition",
         w.name.text);
  const json::Document document(w.values_json, w.source.file.empty() ? "values" : w.source.file);
  std::vector<Rational> values;
  collect(document.root(), values);
  return values;
}

}  // namespace taugrad
