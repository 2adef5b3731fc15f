// A definition from JSON text.
#include <fmt/core.h>

#include <charconv>

#include "base/fail.h"
#include "base/init.h"
#include "json/json.h"
#include "taugrad/base/shape.h"
#include "taugrad/language/definition.h"

namespace taugrad {
namespace {

using json::Fields;
using json::Member;

constexpr std::int64_t kDefinitionVersion = 1;
constexpr std::size_t kDepth = 6;  // of nested "values"

class Reader {
 public:
  Reader(std::string_view text, std::string_view file)
      : document_(text, file, "a definition object") {}

  Definition read() {
    const json::Value root = document_.root_object();
    const Fields fields(root, "a definition",
                        {"version", "name", "about", "index", "sizes", "constants", "inputs",
                         "weights", "functions", "imports", "equations", "loss", "ends"});
    if (const auto v = fields.find("version")) check_version(*v);
    Definition d(std::string(fields.at("name").string("name")));
    d.file = document_.file();
    if (const auto v = fields.find("about")) d.about = v->string("about");
    section(fields, "index", [&](const Member& m) { index(d, m); });
    section(fields, "sizes", [&](const Member& m) {
      d.sizes.push_back(
          {std::string(m.name()), m.value.integer(quoted(m), 0, kMaxDim), source(m.key)});
    });
    section(fields, "constants", [&](const Member& m) {
      d.constants.push_back({std::string(m.name()), m.value.number(quoted(m)), source(m.key)});
    });
    section(fields, "inputs", [&](const Member& m) { input(d, m); });
    section(fields, "weights", [&](const Member& m) { weight(d, m); });
    if (const auto v = fields.find("functions"))
      for (const json::Value f : v->elements("functions"))
        d.functions.push_back(text(f, "a function"));
    section(fields, "imports", [&](const Member& m) { import(d, m); });
    for (const json::Value e : fields.at("equations").elements("equations"))
      d.equations.push_back(text(e, "an equation"));
    if (const auto v = fields.find("loss")) loss(d, *v);
    section(fields, "ends",
            [&](const Member& m) { d.ends.emplace_back(m.name(), text(m.value, "a condition")); });
    if (!problems_.empty()) throw Error(Status::bad_input, problems_);
    return d;
  }

 private:
  // a file without a version is of the first one
  static void check_version(const json::Value& v) {
    const std::int64_t version = v.integer("version", 1, kMaxDim);
    if (version > kDefinitionVersion)
      v.fail("G008",
             fmt::format("file version {} is newer than this program supports ({})", version,
                         kDefinitionVersion),
             "upgrade, or write it without what is new");
  }

  // every problem of a section is found, not only the first
  template <class F>
  void section(const Fields& fields, const char* name, F&& f) {
    const auto v = fields.find(name);
    if (!v) return;
    for (const Member& m : v->members(name)) try {
        f(m);
      } catch (const Error& e) {
        problems_.insert(problems_.end(), e.diagnostics().begin(), e.diagnostics().end());
      }
  }

  static std::string quoted(const Member& m) { return std::string(m.name()); }
  Source source(const json::Value& v) const {
    const auto place = v.place();
    const bool string = v.is(json::Kind::string);
    return {document_.file(), place.line, place.column + (string ? 1 : 0), v.pointer(),
            string ? v.string_columns() : std::vector<int>{}};
  }
  Text text(const json::Value& v, std::string_view what) const {
    return {std::string(v.string(what)), source(v)};
  }

  // an axis: an integer, or arithmetic over sizes
  Text axis(const json::Value& v) const {
    if (v.is(json::Kind::string)) return text(v, "an axis");
    return {std::to_string(v.integer("an axis", 0, kMaxDim)), source(v)};
  }

  void index(Definition& d, const Member& m) const {
    std::string length = m.value.is(json::Kind::string)
                             ? std::string(m.value.string(quoted(m)))
                             : std::to_string(m.value.integer(quoted(m), 0, kMaxDim));
    d.indices.push_back({std::string(m.name()), std::move(length), source(m.key)});
  }

  void input(Definition& d, const Member& m) const {
    InputDeclaration input{text(m.key, "a name"), {}, {}};
    if (m.value.is(json::Kind::string)) {
      const std::string kind(m.value.string(quoted(m)));
      if (position(input, kind, m)) {
        d.inputs.push_back(std::move(input));
        return;
      }
      if (!kind.starts_with("category(") || !kind.ends_with(")"))
        m.value.fail("G010", fmt::format("input \"{}\" must be a shape, \"category(k)\", "
                                         "\"position(t)\" or \"position(t) > t\"",
                                         m.name()));
      Text size{kind.substr(9, kind.size() - 10), source(m.value)};
      size.source.column += 9;
      size.source.columns.clear();
      input.category = std::move(size);
    } else {
      for (const json::Value v : m.value.elements(quoted(m))) input.shape.push_back(axis(v));
    }
    d.inputs.push_back(std::move(input));
  }

  // "position(t)", or "position(t) > t"
  bool position(InputDeclaration& input, const std::string& kind, const Member& m) const {
    const std::size_t close = kind.find(')');
    if (!kind.starts_with("position(") || close == std::string::npos) return false;
    const std::string letter = kind.substr(9, close - 9);
    const std::string rest = kind.substr(close + 1);
    if (!rest.empty() && rest != " > " + letter)
      m.value.fail("G010", fmt::format("input \"{}\" is \"position({})\" or \"position({}) > {}\"",
                                       m.name(), letter, letter, letter));
    Text of{letter, source(m.value)};
    of.source.column += 9;
    of.source.columns.clear();
    input.position = std::move(of);
    input.position_after = !rest.empty();
    return true;
  }

  void weight(Definition& d, const Member& m) const {
    WeightDeclaration w;
    w.name = text(m.key, "a name");
    w.source = source(m.value);
    if (m.value.is(json::Kind::array)) {
      for (const json::Value v : m.value.elements(quoted(m))) w.shape.push_back(axis(v));
    } else {
      const Fields fields(m.value, fmt::format("weight \"{}\"", m.name()),
                          {"shape", "init", "trainable"});
      w.plain = false;
      for (const json::Value v : fields.at("shape").elements("shape")) w.shape.push_back(axis(v));
      if (const auto v = fields.find("init")) init(w, *v);
      if (const auto v = fields.find("trainable")) w.trainable = v->boolean("trainable");
    }
    d.weights.push_back(std::move(w));
  }

  void init(WeightDeclaration& w, const json::Value& v) const {
    if (v.is(json::Kind::string)) {
      w.init = v.string("init");
      check_init(w.init, v);
    } else if (v.is(json::Kind::object)) {
      const Fields fields(v, "init", {"values"});
      const json::Value values = fields.at("values");
      std::vector<std::int64_t> dims;
      std::vector<double> numbers;
      collect_values(values, dims, numbers, 0);
      w.values = Tensor::of(dims, std::move(numbers));
      w.values_json = document_.text().substr(values.offset(), end_of(values) - values.offset());
    } else {
      v.number("init");
      w.init = v.raw();
      check_init(w.init, v);
    }
  }

  static void check_init(const std::string& init, const json::Value& v) {
    try {
      if (!init.empty()) {
        init_from(init);
        return;
      }
    } catch (const Error& e) {
      v.fail("G010", e.diagnostics().front().message, e.diagnostics().front().help);
    }
    v.fail("G010", "\"init\" is empty", "leave it out for the default");
  }

  // nested as deep as the first element is, at most kDepth
  void collect_values(const json::Value& v, std::vector<std::int64_t>& dims,
                      std::vector<double>& out, std::size_t depth) const {
    if (v.is(json::Kind::array)) {
      const std::vector<json::Value> elements = v.elements("values");
      const auto count = static_cast<std::int64_t>(elements.size());
      if (depth == dims.size()) {
        if (!out.empty() || depth >= kDepth) v.fail("G010", "\"values\" is nested unevenly");
        dims.resize(depth + 1, count);
      }
      if (dims[depth] != count)
        v.fail("G010", fmt::format("\"values\": {} elements here, {} before", count, dims[depth]));
      for (const json::Value& e : elements) collect_values(e, dims, out, depth + 1);
    } else {
      if (depth != dims.size()) v.fail("G010", "\"values\" is nested unevenly");
      out.push_back(v.is(json::Kind::string) ? fraction(v) : v.number("a value"));
    }
  }

  static double fraction(const json::Value& v) {
    const std::string_view text = v.string("a value");
    const auto slash = text.find('/');
    const auto part = [&](std::string_view s) {
      double x = 0;
      const auto result = std::from_chars(s.data(), s.data() + s.size(), x);
      if (s.empty() || result.ec != std::errc{} || result.ptr != s.data() + s.size())
        v.fail("G010", fmt::format("\"{}\" is not a number or a fraction", text),
               "write 0.25 or \"1/3\"");
      return x;
    };
    if (slash == std::string_view::npos) return part(text);
    const double below = part(text.substr(slash + 1));
    if (below == 0) v.fail("G003", "a fraction has the denominator 0");
    return part(text.substr(0, slash)) / below;
  }

  // one past the closing bracket of an array, which holds numbers and strings without brackets
  std::size_t end_of(const json::Value& v) const {
    const std::string& all = document_.text();
    int depth = 0;
    bool quoted_now = false;
    for (std::size_t i = v.offset(); i < all.size(); ++i) {
      if (all[i] == '"') quoted_now = !quoted_now;
      if (quoted_now) continue;
      if (all[i] == '[') ++depth;
      if (all[i] == ']' && --depth == 0) return i + 1;
      if (depth == 0 && (all[i] == ',' || all[i] == '}')) return i;
    }
    return all.size();
  }

  void import(Definition& d, const Member& m) const {
    const Fields fields(m.value, fmt::format("import \"{}\"", m.name()),
                        {"from", "sizes", "index", "inputs", "weights", "reverse"});
    ImportDeclaration i;
    i.prefix = m.name();
    i.source = source(m.key);
    i.from = fields.at("from").string("from");
    if (const auto v = fields.find("sizes"))
      for (const Member& s : v->members("sizes")) i.sizes.emplace_back(s.name(), axis(s.value));
    if (const auto v = fields.find("index"))
      for (const Member& s : v->members("index"))
        i.index.emplace_back(s.name(), s.value.string("an index"));
    if (const auto v = fields.find("inputs"))
      for (const Member& s : v->members("inputs"))
        i.inputs.emplace_back(s.name(), text(s.value, "an expression"));
    if (const auto v = fields.find("weights"))
      for (const Member& s : v->members("weights"))
        i.weights.emplace_back(s.name(), s.value.string("a weight"));
    if (const auto v = fields.find("reverse"))
      for (const json::Value s : v->elements("reverse"))
        i.reverse.emplace_back(s.string("an index"));
    d.imports.push_back(std::move(i));
  }

  void loss(Definition& d, const json::Value& v) const {
    if (v.is(json::Kind::string)) {
      d.loss.push_back(text(v, "loss"));
      return;
    }
    d.loss_is_list = true;
    for (const json::Value term : v.elements("loss")) d.loss.push_back(text(term, "a loss term"));
  }

  json::Document document_;
  std::vector<Diagnostic> problems_;
};

}  // namespace

Definition parse_definition(std::string_view json_text, std::string_view filename) {
  return Reader(json_text, filename).read();
}

}  // namespace taugrad
