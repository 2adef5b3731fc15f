#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "recurrence/ast.h"
#include "recurrence/lexer.h"
#include "recurrence/syntax_help.h"

namespace taugrad {
namespace {

constexpr int kMaxNesting = 100;      // brackets within brackets: bounds the parser's own recursion
constexpr int kMaxOffset = 1'000'000;  // t-1000001 is refused

class Parser {
 public:
  explicit Parser(const Text& text)
      : text_(text), tokens_(tokenize(text)), origin_(std::make_shared<const Text>(text)) {}

  Ast expression_to_end() {
    comparison();
    expect_end();
    return std::move(ast_);
  }

  ParsedEquation equation() {
    ParsedEquation e;
    e.text = text_;
    e.name = expect_name("the variable that the equation defines");
    if (accept("[")) {
      e.bracket = true;
      if (!peek("]")) e.places = places();
      expect("]");
    }
    if (accept("~")) {
      e.random = true;
      distribution(e);
    } else {
      expect("=");
      ast_ = Ast{};
      comparison();
      e.arguments.push_back(std::move(ast_));
    }
    expect_end();
    return e;
  }

  ParsedFunction function() {
    ParsedFunction f;
    f.text = text_;
    f.name = expect_name("the function's name");
    expect("(");
    if (!peek(")")) {
      do f.parameters.push_back(expect_name("a parameter"));
      while (accept(","));
    }
    expect(")");
    expect("=");
    comparison();
    expect_end();
    f.body = std::move(ast_);
    return f;
  }

  ParsedName declared_name() {
    ParsedName n;
    n.name = expect_name("a name");
    if (accept("[")) {
      do n.indices.push_back(expect_name("an index"));
      while (accept(","));
      expect("]");
    }
    expect_end();
    return n;
  }

 private:
  const Token& now() const { return tokens_[at_]; }
  bool peek(std::string_view sign) const { return now().kind == Token::Kind::sign && now().text == sign; }
  bool accept(std::string_view sign) {
    if (!peek(sign)) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void wrong(const std::string& wanted, const std::string& help = {}) const {
    const std::string found = now().kind == Token::Kind::end ? "the end" : fmt::format("'{}'", now().text);
    const auto column = static_cast<std::size_t>(now().column);
    fail_at("E001", fmt::format("expected {}, got {}", wanted, found), text_, now().column, now().length,
            help.empty() ? syntax_help(text_.text, column, wanted) : help);
  }
  void expect(std::string_view sign) {
    if (!accept(sign)) wrong(fmt::format("'{}'", sign));
  }
  void expect_end() {
    if (now().kind != Token::Kind::end) wrong("the end of the equation");
  }
  std::string expect_name(const char* what) {
    if (now().kind != Token::Kind::name) wrong(what);
    return tokens_[at_++].text;
  }

  int push(AstNode node) {
    node.origin = origin_;
    ast_.nodes.push_back(std::move(node));
    return ast_.root();
  }

  int comparison() {
    int left = sum();
    if (now().kind == Token::Kind::sign &&
        (now().text == "<" || now().text == "<=" || now().text == ">" || now().text == ">=" ||
         now().text == "==" || now().text == "!=")) {
      left = binary(left, &Parser::sum);
      if (now().kind == Token::Kind::sign && (now().text[0] == '<' || now().text[0] == '>' || now().text == "==" || now().text == "!="))
        fail_at("E001", "comparisons cannot be chained", text_, now().column, now().length, "put one of them in brackets");
    }
    return left;
  }
  int sum() {
    int left = product();
    while (peek("+") || peek("-")) left = binary(left, &Parser::product);
    return left;
  }
  int product() {
    int left = unary();
    while (peek("@") || peek("*") || peek("/")) left = binary(left, &Parser::unary);
    return left;
  }
  int binary(int left, int (Parser::*next)()) {
    const Token op = tokens_[at_++];
    const int right = (this->*next)();
    AstNode n;
    n.kind = AstNode::Kind::binary;
    n.name = op.text;
    n.children = {left, right};
    n.column = op.column;
    n.length = op.length;
    return push(std::move(n));
  }
  int unary() {
    std::vector<Token> minus;
    while (peek("-") || peek("+")) minus.push_back(tokens_[at_++]);
    int a = atom();
    for (auto m = minus.rbegin(); m != minus.rend(); ++m) {
      if (m->text == "+") continue;
      AstNode n;
      n.kind = AstNode::Kind::negative;
      n.name = "-";
      n.children = {a};
      n.column = m->column;
      a = push(std::move(n));
    }
    return a;
  }
  int atom() {
    const Token token = now();
    AstNode n;
    n.column = token.column;
    n.length = token.length;
    if (token.kind == Token::Kind::number) {
      ++at_;
      n.kind = AstNode::Kind::number;
      n.number = token.number;
      n.name = token.text;
      return push(std::move(n));
    }
    if (accept("(")) {
      nest();
      const int inner = comparison();
      expect(")");
      --depth_;
      return inner;
    }
    if (token.kind != Token::Kind::name) wrong("a number, a name or '('");
    ++at_;
    n.name = token.text;
    if (peek("(")) return call(std::move(n));
    if (accept("[")) return bracket(std::move(n));
    n.kind = AstNode::Kind::name;
    return push(std::move(n));
  }
  int bracket(AstNode n) {
    n.kind = AstNode::Kind::reference;
    n.places = places();
    expect("]");
    n.length = tokens_[at_ - 1].column + 1 - n.column;
    if (!peek("(")) return push(std::move(n));
    for (const Place& p : n.places) {
      if (p.kind != Place::Kind::letter || p.offset != 0)
        fail_at("E001", fmt::format("{}[...] goes over an index, not over a position", n.name), text_, n.column, n.length,
                "write a letter, as in sum[t](h[t])");
      n.over.push_back(p.letter);
    }
    n.places.clear();
    n.steps.assign(n.over.size(), 1);
    n.kind = AstNode::Kind::reduction;
    return arguments(std::move(n));
  }
  int call(AstNode n) {
    n.kind = AstNode::Kind::call;
    return arguments(std::move(n));
  }
  int arguments(AstNode n) {
    expect("(");
    nest();
    if (!peek(")")) {
      do n.children.push_back(comparison());
      while (accept(","));
    }
    expect(")");
    --depth_;
    return push(std::move(n));
  }
  void nest() {
    if (++depth_ > kMaxNesting)
      fail_at("E002", fmt::format("brackets are nested deeper than {}", kMaxNesting), text_, now().column, 1,
              "split the equation");
  }

  std::vector<Place> places() {
    std::vector<Place> result;
    do result.push_back(place());
    while (accept(","));
    return result;
  }
  Place place() {
    Place p;
    bool negative = accept("-");
    if (now().kind == Token::Kind::name) {
      if (negative) wrong("an integer");
      p.letter = tokens_[at_++].text;
      p.kind = p.letter == "last" ? Place::Kind::end : Place::Kind::letter;
      if (peek("+") || peek("-")) {
        negative = tokens_[at_++].text == "-";
        p.offset = negative ? -integer() : integer();
      }
    } else {
      p.offset = negative ? -integer() : integer();
    }
    return p;
  }
  int integer() {
    const Token& token = now();
    if (token.kind != Token::Kind::number) wrong("an integer position", "positions are t-1, 3, last or last-1");
    if (token.number != std::floor(token.number) ||
        token.text.find_first_of(".eE") != std::string::npos)
      fail_at("G017", fmt::format("a position must be an integer, got {}", token.text), text_, token.column, token.length,
              "positions are whole steps: t-1, 3, last");
    if (token.number > kMaxOffset)
      fail_at("G017", fmt::format("an offset of {} is more than {}", token.text, kMaxOffset), text_, token.column,
              token.length);
    ++at_;
    return static_cast<int>(token.number);
  }

  void distribution(ParsedEquation& e) {
    const Token head = now();
    e.distribution = expect_name("a distribution");
    static const std::set<std::string> known = {"categorical", "bernoulli", "normal"};
    if (!known.contains(e.distribution))
      fail_at("E003", fmt::format("unknown distribution \"{}\"", e.distribution), text_, head.column, head.length,
              "there are categorical, bernoulli and normal");
    expect("(");
    do {
      const Token key = now();
      e.keywords.push_back(expect_name("logits =, p =, mean = or std ="));
      expect("=");
      ast_ = Ast{};
      comparison();
      e.arguments.push_back(std::move(ast_));
      const bool fits = e.distribution == "normal" ? (e.keywords.back() == "mean" || e.keywords.back() == "std")
                                                   : (e.keywords.back() == "logits" || e.keywords.back() == "p");
      if (!fits || std::count(e.keywords.begin(), e.keywords.end(), e.keywords.back()) > 1)
        fail_at("E003", fmt::format("{} does not take \"{}\" here", e.distribution, e.keywords.back()), text_, key.column,
                key.length, e.distribution == "normal" ? "write normal(mean = .., std = ..)" : "write one of logits = .. and p = ..");
    } while (accept(","));
    expect(")");
    const std::size_t wanted = e.distribution == "normal" ? 2 : 1;
    if (e.arguments.size() != wanted)
      fail_at("E003", fmt::format("{} takes {} argument{}", e.distribution, wanted, wanted == 1 ? "" : "s"), text_,
              head.column, head.length, wanted == 2 ? "write normal(mean = .., std = ..)" : "write one of logits = .. and p = ..");
  }

  const Text& text_;
  std::vector<Token> tokens_;
  std::shared_ptr<const Text> origin_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Ast ast_;
};

}  // namespace

std::string to_string(const Place& p) {
  if (p.kind == Place::Kind::number) return std::to_string(p.offset);
  return p.offset == 0 ? p.letter : fmt::format("{}{:+}", p.letter, p.offset);
}

Ast parse_expression(const Text& text) { return Parser(text).expression_to_end(); }
ParsedEquation parse_equation(const Text& text) { return Parser(text).equation(); }
ParsedFunction parse_function(const Text& text) { return Parser(text).function(); }
ParsedName parse_declared_name(const Text& text) { return Parser(text).declared_name(); }

int splice(Ast& to, const Ast& from) {
  const int base = static_cast<int>(to.nodes.size());
  for (AstNode n : from.nodes) {
    for (int& child : n.children) child += base;
    to.nodes.push_back(std::move(n));
  }
  return to.root();
}

Diagnostic at_text(std::string code, std::string message, const Text& text, int offset, int length, std::string help) {
  Diagnostic d;
  d.code = std::move(code);
  d.message = std::move(message);
  d.file = text.source.file;
  d.line = text.source.line;
  const auto at = static_cast<std::size_t>(std::max(offset, 0));
  d.column = at < text.source.columns.size() ? text.source.columns[at]
             : text.source.line > 0          ? text.source.column + offset
                                             : offset + 1;
  d.pointer = text.source.pointer;
  d.excerpt = text.text;
  d.caret = offset;
  d.caret_length = std::max(length, 1);
  d.help = std::move(help);
  return d;
}

void fail_at(std::string code, std::string message, const Text& text, int offset, int length, std::string help) {
  throw Error(Status::bad_input, at_text(std::move(code), std::move(message), text, offset, length, std::move(help)));
}

Diagnostic at_node(std::string code, std::string message, const AstNode& node, std::string help) {
  static const Text kNowhere;
  return at_text(std::move(code), std::move(message), node.origin ? *node.origin : kNowhere, node.column, node.length,
                 std::move(help));
}
void fail_at(std::string code, std::string message, const AstNode& node, std::string help) {
  throw Error(Status::bad_input, at_node(std::move(code), std::move(message), node, std::move(help)));
}

}  // namespace taugrad
