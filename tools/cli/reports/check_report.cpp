#include "reports/check_report.h"

#include "json/json_writer.h"

namespace taugrad::cli {
namespace {

void write(json::Writer& w, const VariableCheck& v) {
  w.begin_object()
      .field("name", v.name)
      .field("ok", v.ok)
      .field("entries", v.entries)
      .field("checked", v.checked);
  w.field("kinks", v.kinks).field("hidden", v.hidden).field("unmeasured", v.unmeasured);
  if (!v.kink_at.empty()) w.field("kink_at", v.kink_at);
  w.key("worst").begin_object().key("index").begin_array();
  for (const std::int64_t i : v.index) w.value(i);
  w.end_array();
  if (v.item >= 0) w.field("item", v.item);
  w.field("analytic", v.worst.analytic)
      .field("numeric", v.worst.numeric)
      .field("error", v.worst.error);
  w.end_object().end_object();
}

void write(json::Writer& w, const NotFinite& n) {
  w.key("not_finite").begin_object().field("at", n.label).field("op", n.op);
  if (n.item >= 0) w.field("item", n.item);
  w.field("of", n.of).end_object();
}

void write(json::Writer& w, const OpFault& f) {
  w.begin_object().field("at", f.label).field("op", f.op).field("input", f.input_label);
  w.key("index").begin_array();
  for (const std::int64_t i : f.index) w.value(i);
  w.end_array();
  if (f.item >= 0) w.field("item", f.item);
  w.field("analytic", f.entry.analytic).field("numeric", f.entry.numeric).end_object();
}

}  // namespace

std::string check_json(const CheckReport& r) {
  json::Writer w;
  w.begin_object().field("ok", r.ok()).field("method", text_of(kMethods, r.method));
  w.field("order", r.order)
      .field("entries", r.entries)
      .field("checked", r.checked)
      .field("runs", r.runs);
  if (r.sampled()) w.field("directions", r.directions);
  if (r.out_of_time) w.field("out_of_time", true);
  if (r.together)
    w.key("together")
        .begin_object()
        .field("ok", r.together->ok)
        .field("analytic", r.together->analytic)
        .field("numeric", r.together->numeric)
        .end_object();
  if (r.perturbed)
    w.key("perturbed")
        .begin_object()
        .field("at", r.perturbed->label)
        .field("op", r.perturbed->op)
        .end_object();
  w.field("kinks", r.kinks()).field("hidden", r.hidden()).field("unmeasured", r.unmeasured());
  if (r.vacuous()) w.field("vacuous", true);
  if (r.not_finite) write(w, *r.not_finite);
  if (const VariableCheck* worst = r.worst())
    w.field("worst", worst->name).field("error", worst->worst.error);
  if (!r.faults.empty()) {
    w.key("faults").begin_array();
    for (const OpFault& f : r.faults) write(w, f);
    w.end_array();
  }
  w.key("variables").begin_array();
  for (const VariableCheck& v : r.variables) write(w, v);
  w.end_array().end_object();
  return w.text() + "\n";
}

}  // namespace taugrad::cli
