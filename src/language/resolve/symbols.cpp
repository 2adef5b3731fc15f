#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

int index_number(const ResolvedModel& model, std::string_view letter) {
  for (std::size_t i = 0; i < model.system.indices.size(); ++i)
    if (model.system.indices[i].name == letter) return static_cast<int>(i);
  return -1;
}

int add_symbol(ResolvedModel& model, Symbol symbol) {
  const int number = static_cast<int>(model.symbols.size());
  model.by_name.emplace(symbol.name, number);
  model.symbols.push_back(std::move(symbol));
  return number;
}

void declare_given(ResolvedModel& model) {
  const FlatDefinition& s = model.system;
  for (std::size_t i = 0; i < s.inputs.size(); ++i) {
    Symbol symbol{.name = s.inputs[i].name, .kind = SymbolKind::input};
    for (const std::string& letter : s.inputs[i].letters)
      symbol.axes.push_back(index_number(model, letter));
    symbol.shape = Shape(std::span(s.inputs[i].shape));
    symbol.category = s.inputs[i].category;
    symbol.position = s.inputs[i].position.empty() ? -1 : index_number(model, s.inputs[i].position);
    symbol.after = s.inputs[i].after;
    symbol.declaration = static_cast<int>(i);
    add_symbol(model, std::move(symbol));
  }
  for (std::size_t i = 0; i < s.weights.size(); ++i) {
    Symbol symbol{.name = s.weights[i].name, .kind = SymbolKind::weight};
    for (const std::string& letter : s.weights[i].letters)
      symbol.axes.push_back(index_number(model, letter));
    symbol.shape = Shape(std::span(s.weights[i].shape));
    symbol.per_example = false;
    symbol.taken = s.weights[i].taken;
    symbol.declaration = static_cast<int>(i);
    add_symbol(model, std::move(symbol));
  }
}

// the letters of a variable's axes come from an equation that has them all, else from the only
// index there is
void find_axes(ResolvedModel& model, Symbol& symbol,
               const std::vector<const ParsedEquation*>& equations) {
  const ParsedEquation& first = *equations.front();
  const std::size_t rank = first.places.size();
  symbol.axes.assign(rank, -1);
  for (const ParsedEquation* e : equations) {
    if (e->places.size() != rank)
      fail_at("E007",
              fmt::format("\"{}\" has {} ind{} here and {} in another equation", e->name,
                          e->places.size(), e->places.size() == 1 ? "ex" : "ices", rank),
              e->text, 0, static_cast<int>(e->name.size()));
    for (std::size_t a = 0; a < rank; ++a) {
      if (e->places[a].kind != Place::Kind::letter) continue;
      const int index = index_number(model, e->places[a].letter);
      if (index >= 0 && symbol.axes[a] < 0) symbol.axes[a] = index;
    }
  }
  for (std::size_t a = 0; a < rank; ++a) {
    if (symbol.axes[a] < 0 && model.system.indices.size() == 1) symbol.axes[a] = 0;
    if (symbol.axes[a] < 0)  // h[0,j] alone: the length's name tells, as in g[tau+1]
      for (const ParsedEquation* e : equations)
        for (std::size_t i = 0; i < model.system.indices.size(); ++i)
          if (e->places[a].kind == Place::Kind::letter &&
              model.system.indices[i].length == e->places[a].letter)
            symbol.axes[a] = static_cast<int>(i);
    if (symbol.axes[a] < 0)
      fail_at("E007", fmt::format("no equation tells over which index \"{}\" runs", first.name),
              first.text, 0, static_cast<int>(first.name.size()),
              fmt::format("add an equation for {}[t]", first.name));
  }
}

DistributionKind distribution_of(const ParsedEquation& e) {
  if (!e.random) return DistributionKind::none;
  if (e.distribution == "normal") return DistributionKind::normal;
  const bool logits = e.keywords[0] == "logits";
  if (e.distribution == "categorical")
    return logits ? DistributionKind::categorical_logits : DistributionKind::categorical_p;
  return logits ? DistributionKind::bernoulli_logits : DistributionKind::bernoulli_p;
}

void add_rule(ResolvedModel& model, int number, const ParsedEquation& e) {
  Rule rule;
  rule.symbol = number;
  rule.equation = &e;
  const Symbol& symbol = model.symbols[static_cast<std::size_t>(number)];
  for (std::size_t a = 0; a < e.places.size(); ++a) {
    AstNode here;
    here.origin = std::make_shared<const Text>(e.text);
    here.length = static_cast<int>(e.name.size());
    const At at = place_at(model, e.places[a],
                           model.index_length[static_cast<std::size_t>(symbol.axes[a])], here);
    if (at.kind == Place::Kind::computed)
      fail_at("E007", fmt::format("the left side stands at {}", to_string(model, at)), here,
              "a left side stands at an index, a number, last or last+1");
    if (at.kind == Place::Kind::letter) {
      if (model.index_length[static_cast<std::size_t>(at.index)] !=
          model.index_length[static_cast<std::size_t>(symbol.axes[a])])
        fail_at(
            "E007",
            fmt::format("index \"{}\" runs over \"{}\", this axis over \"{}\"", e.places[a].letter,
                        model.system.indices[static_cast<std::size_t>(at.index)].length,
                        model.system.indices[static_cast<std::size_t>(symbol.axes[a])].length),
            here, "write the equation over one of them");
      if (at.offset != 0)
        fail_at("E007", fmt::format("the left side stands at {}", to_string(e.places[a])), here,
                fmt::format("write the equation for {}[{}] and shift the right side", e.name,
                            e.places[a].letter));
      if (std::find(rule.letters.begin(), rule.letters.end(), at.index) != rule.letters.end())
        fail_at("E007",
                fmt::format("index \"{}\" stands twice on the left side", e.places[a].letter),
                here);
      rule.letters.push_back(at.index);
    } else {
      ++rule.fixed;
    }
    rule.places.push_back(at);
  }
  for (const int other : symbol.rules)
    if (model.rules[static_cast<std::size_t>(other)].places == rule.places)
      fail_at("G013", fmt::format("\"{}\" is defined twice at the same positions", e.name), e.text,
              0, static_cast<int>(e.name.size()), "remove one of the equations");
  model.symbols[static_cast<std::size_t>(number)].rules.push_back(
      static_cast<int>(model.rules.size()));
  model.rules.push_back(std::move(rule));
}

void declare_variable(ResolvedModel& model, const std::string& name,
                      const std::vector<const ParsedEquation*>& equations) {
  Symbol symbol{.name = name};
  find_axes(model, symbol, equations);
  symbol.distribution = distribution_of(*equations.front());
  for (const ParsedEquation* e : equations)
    if (distribution_of(*e) != symbol.distribution)
      fail_at("E003",
              fmt::format("\"{}\" is both random and deterministic, or of two distributions", name),
              e->text, 0, static_cast<int>(name.size()),
              "use ~ in all of its equations or in none");
  for (std::size_t l = 0; l < model.lengths.size(); ++l)
    if (model.lengths[l] == name) symbol.length = static_cast<int>(l);
  if (symbol.length >= 0 && (symbol.distribution != DistributionKind::categorical_logits &&
                             symbol.distribution != DistributionKind::categorical_p))
    fail_at("E003", fmt::format("a length is drawn from a categorical: {} ~ categorical(..)", name),
            equations.front()->text, 0, static_cast<int>(name.size()));
  const int number = add_symbol(model, std::move(symbol));
  for (const ParsedEquation* e : equations) add_rule(model, number, *e);
  std::vector<int>& rules = model.symbols[static_cast<std::size_t>(number)].rules;
  std::stable_sort(rules.begin(), rules.end(), [&](int a, int b) {
    return model.rules[static_cast<std::size_t>(a)].fixed >
           model.rules[static_cast<std::size_t>(b)].fixed;
  });
}

}  // namespace

void number_lengths(ResolvedModel& model) {
  const auto number = [&](const FlatIndex& i) {
    const auto at = std::find(model.lengths.begin(), model.lengths.end(), i.length);
    if (at != model.lengths.end()) return static_cast<int>(at - model.lengths.begin());
    model.lengths.push_back(i.length);
    model.fixed_lengths.push_back(i.fixed);
    model.derived.emplace_back();
    return static_cast<int>(model.lengths.size()) - 1;
  };
  model.index_length.clear();
  for (const FlatIndex& i : model.system.indices)
    model.index_length.push_back(i.derived ? -1 : number(i));
  for (std::size_t i = 0; i < model.system.indices.size(); ++i) {
    const FlatIndex& index = model.system.indices[i];
    if (!index.derived) continue;
    PositionForm form = position_form(model, *index.derived, index.derived->root(), -1);
    const int length = number(index);
    model.index_length[i] = length;
    model.derived[static_cast<std::size_t>(length)] =
        std::make_shared<const PositionForm>(std::move(form));
  }
}

void derive_lengths(const ResolvedModel& model, std::vector<std::int64_t>& lengths) {
  for (std::size_t l = 0; l < lengths.size(); ++l) {
    if (!model.is_derived(l)) continue;
    bool known = true;
    const auto length = [&](int number) {
      known = known && lengths[static_cast<std::size_t>(number)] >= 0;
      return lengths[static_cast<std::size_t>(number)];
    };
    const std::int64_t value = value_of(
        *model.derived[l], [](int) { return 0; }, length);
    lengths[l] = known ? std::max<std::int64_t>(value, 0) : -1;
  }
}

bool are_related(const ResolvedModel& model, int length, int other) {
  const auto follows = [&](int of, int from) {
    bool any = false;
    if (model.is_derived(of))
      each_term(*model.derived[static_cast<std::size_t>(of)], [&](const PositionForm::Term& t) {
        any = any || (t.kind == PositionForm::Term::Kind::length && t.number == from);
      });
    return any;
  };
  return length == other || follows(length, other) || follows(other, length);
}

namespace {

// Arithmetic that comes to a plain position is one.
At computed_at(PositionForm form, int offset, int length) {
  form.offset += offset;
  const PositionForm::Term* term = form.single();
  const int plain = static_cast<int>(form.offset);
  if (form.is_number()) return {Place::Kind::number, -1, plain};
  if (term && term->kind == PositionForm::Term::Kind::length && term->number == length)
    return {Place::Kind::end, -1, plain};
  if (term && term->kind == PositionForm::Term::Kind::letter)
    return {Place::Kind::letter, term->number, plain};
  return {Place::Kind::computed, -1, 0, std::make_shared<const PositionForm>(std::move(form))};
}

}  // namespace

At place_at(const ResolvedModel& model, const Place& place, int length, const AstNode& node,
            const Ast* ast, int root) {
  At at{place.kind, -1, place.offset};
  if (place.kind == Place::Kind::computed) {
    at = computed_at(position_form(model, *ast, root, length), place.offset, length);
    if (at.kind != Place::Kind::letter) return at;
  } else if (place.kind == Place::Kind::letter) {
    at.index = index_number(model, place.letter);
  } else {
    return at;
  }
  if (at.index >= 0) {
    if (!are_related(model, model.index_length[static_cast<std::size_t>(at.index)], length))
      fail_at("E007",
              fmt::format("index \"{}\" runs over \"{}\", this axis over \"{}\"", place.letter,
                          model.system.indices[static_cast<std::size_t>(at.index)].length,
                          model.lengths[static_cast<std::size_t>(length)]),
              node, "read it through an index of the same length, or of one that follows from it");
    return at;
  }
  if (place.letter == model.lengths[static_cast<std::size_t>(length)]) {
    at.kind = Place::Kind::end;
    return at;
  }
  const FlatDefinition& s = model.system;
  const auto computed = [&](PositionForm form) {
    return computed_at(std::move(form), place.offset, length);
  };
  if (const auto size = s.sizes.find(place.letter); size != s.sizes.end())
    return computed(form_of_number(size->second));
  AstNode name = node_like(node, AstNode::Kind::name, place.letter);
  const int symbol = model.find(place.letter);
  if (s.constants.contains(place.letter) || s.is_length(place.letter) || symbol >= 0) {
    Ast alone;
    alone.nodes.push_back(std::move(name));
    return computed(position_form(model, alone, 0, length));
  }
  std::vector<std::string> known{"last"};
  for (const FlatIndex& i : model.system.indices) known.push_back(i.name);
  fail_at("G014", fmt::format("\"{}\" is not an index", place.letter), node,
          did_you_mean(place.letter, known));
}

std::vector<At> places_at(const ResolvedModel& model, const Ast& ast, const AstNode& n,
                          const Symbol& symbol) {
  if (n.places.size() != symbol.axes.size())
    fail_at("E007",
            fmt::format("\"{}\" has {} ind{}, read here with {}", symbol.name, symbol.axes.size(),
                        symbol.axes.size() == 1 ? "ex" : "ices", n.places.size()),
            n,
            symbol.axes.empty()
                ? fmt::format("write {}", symbol.name)
                : fmt::format("write {}[{}]", symbol.name,
                              model.system.indices[static_cast<std::size_t>(symbol.axes[0])].name));
  std::vector<At> result;
  for (std::size_t a = 0; a < n.places.size(); ++a) {
    const int root = n.places[a].kind == Place::Kind::computed ? computed_root(n, a) : -1;
    result.push_back(place_at(model, n.places[a],
                              model.index_length[static_cast<std::size_t>(symbol.axes[a])], n, &ast,
                              root));
  }
  return result;
}

std::string to_string(const ResolvedModel& model, const At& at) {
  if (at.kind == Place::Kind::number) return std::to_string(at.offset);
  if (at.kind == Place::Kind::computed) return to_string(*at.form);
  const std::string base = at.kind == Place::Kind::end
                               ? "last"
                               : model.system.indices[static_cast<std::size_t>(at.index)].name;
  return at.offset == 0 ? base : fmt::format("{}{:+}", base, at.offset);
}

std::vector<int> letters_of(const std::vector<At>& places) {
  std::set<int> letters;
  for (const At& p : places) {
    if (p.kind == Place::Kind::letter) letters.insert(p.index);
    if (p.form)
      for (const int letter : letters_of(*p.form)) letters.insert(letter);
  }
  return {letters.begin(), letters.end()};
}

bool has_data(const std::vector<At>& places) {
  return std::any_of(places.begin(), places.end(),
                     [](const At& p) { return p.form && has_data(*p.form); });
}

void declare_symbols(ResolvedModel& model) {
  number_lengths(model);
  declare_given(model);
  std::vector<std::string> names;
  std::map<std::string, std::vector<const ParsedEquation*>> equations;
  for (const ParsedEquation& e : model.system.equations) {
    if (!equations.contains(e.name)) names.push_back(e.name);
    equations[e.name].push_back(&e);
  }
  for (const std::string& name : names)
    collect(
        model.system, [&] { declare_variable(model, name, equations[name]); }, name);
}

}  // namespace taugrad
