#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "language/syntax/ast.h"
#include "language/syntax/lexer.h"
#include "language/syntax/syntax_help.h"

namespace taugrad {
namespace {

constexpr int kMaxNesting = 100;       // brackets within brackets: what a reader can follow
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
      std::vector<int> computed;
      if (!peek("]")) e.places = places(computed);
      if (!computed.empty())
        fail_at(
            "E007",
            fmt::format("the left side of \"{}\" stands at a position that is computed", e.name),
            text_, 0, static_cast<int>(e.name.size()),
            "a left side stands at an index, a number, last or last+1");
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
  bool peek(std::string_view sign) const {
    return now().kind == Token::Kind::sign && now().text == sign;
  }
  bool accept(std::string_view sign) {
    if (!peek(sign)) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void wrong(const std::string& wanted, const std::string& help = {}) const {
    const std::string found =
        now().kind == Token::Kind::end ? "the end" : fmt::format("'{}'", now().text);
    const auto column = static_cast<std::size_t>(now().column);
    fail_at("E001", fmt::format("expected {}, got {}", wanted, found), text_, now().column,
            now().length, help.empty() ? syntax_help(text_.text, column, wanted) : help);
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

  // What waits for an operand or for its end: brackets nest on this stack, not on the thread's.
  struct Pending {
    enum class Kind { whole, bracket, call, negative, binary };
    Kind kind;
    AstNode node = {};   // but of a whole expression and of a bracket: to be pushed when complete
    int precedence = 0;  // of a binary operator
  };
  static constexpr int kComparison = 1, kSum = 2, kProduct = 3;

  static int precedence_of(const Token& t) {
    if (t.kind != Token::Kind::sign) return 0;
    if (t.text == "+" || t.text == "-") return kSum;
    if (t.text == "@" || t.text == "*" || t.text == "/") return kProduct;
    return t.text == "<" || t.text == "<=" || t.text == ">" || t.text == ">=" || t.text == "==" ||
                   t.text == "!="
               ? kComparison
               : 0;
  }

  // An expression: sums of products of signed atoms, at most one comparison in each bracket.
  int comparison() {
    pending_.push_back({Pending::Kind::whole});
    for (;;) {
      int operand = begin_operand();
      while (operand >= 0 && !go_on(operand)) {
        if (pending_.back().kind == Pending::Kind::whole) {
          pending_.pop_back();
          return operand;
        }
        operand = close(operand);
      }
    }
  }

  // Signs and an atom; -1 where a bracket opened instead, which holds operands of its own.
  int begin_operand() {
    while (peek("-") || peek("+")) {
      const Token& sign = tokens_[at_++];
      if (sign.text == "+") continue;
      Pending p{Pending::Kind::negative};
      p.node.kind = AstNode::Kind::negative;
      p.node.name = "-";
      p.node.column = sign.column;
      pending_.push_back(std::move(p));
    }
    const int operand = atom();
    return operand < 0 ? operand : signed_atom(operand);
  }

  int signed_atom(int operand) {
    while (pending_.back().kind == Pending::Kind::negative) operand = complete(operand);
    return operand;
  }

  // Pushes the operator on top of the stack, whose last operand this is.
  int complete(int operand) {
    AstNode n = std::move(pending_.back().node);
    pending_.pop_back();
    n.children.push_back(operand);
    return push(std::move(n));
  }

  // Past an operand: true where a binary operator follows, and with it another operand. What binds
  // at least as tightly as what follows is complete.
  bool go_on(int& operand) {
    const Token& op = now();
    const int precedence = precedence_of(op);
    while (pending_.back().kind == Pending::Kind::binary &&
           pending_.back().precedence >= std::max(precedence, kComparison + 1))
      operand = complete(operand);
    if (precedence == 0) {
      if (pending_.back().kind == Pending::Kind::binary) operand = complete(operand);
      return false;
    }
    if (precedence == kComparison && pending_.back().kind == Pending::Kind::binary)
      fail_at("E001", "comparisons cannot be chained", text_, op.column, op.length,
              "put one of them in brackets");
    Pending p{Pending::Kind::binary, {}, precedence};
    p.node.kind = AstNode::Kind::binary;
    p.node.name = op.text;
    p.node.children = {operand};
    p.node.column = op.column;
    p.node.length = op.length;
    pending_.push_back(std::move(p));
    ++at_;
    return true;
  }

  // The end of a bracket, or of an argument: -1 where another argument follows.
  int close(int operand) {
    const bool call = pending_.back().kind == Pending::Kind::call;
    if (call) {
      pending_.back().node.children.push_back(operand);
      if (accept(",")) return name_argument(pending_.back().node), -1;
    }
    expect(")");
    --depth_;
    AstNode n = std::move(pending_.back().node);
    pending_.pop_back();
    return signed_atom(call ? push(std::move(n)) : operand);
  }

  // -1 where a bracket opened.
  int atom() {
    const Token& token = now();
    AstNode n;
    n.column = token.column;
    n.length = token.length;
    if (accept("(")) {
      nest();
      pending_.push_back({Pending::Kind::bracket});
      return -1;
    }
    if (token.kind != Token::Kind::number && token.kind != Token::Kind::name)
      wrong("a number, a name or '('");
    ++at_;
    n.name = token.text;
    if (token.kind == Token::Kind::number) {
      n.kind = AstNode::Kind::number;
      n.number = token.number;
      return push(std::move(n));
    }
    if (peek("(")) {
      n.kind = AstNode::Kind::call;
      return arguments(std::move(n));
    }
    if (accept("[")) return bracket(std::move(n));
    n.kind = AstNode::Kind::name;
    return push(std::move(n));
  }
  int bracket(AstNode n) {
    n.kind = AstNode::Kind::reference;
    n.places = places(n.children);
    expect("]");
    n.length = tokens_[at_ - 1].column + 1 - n.column;
    if (!peek("(")) return push(std::move(n));
    for (const Place& p : n.places) {
      if (p.kind != Place::Kind::letter || p.offset != 0)
        fail_at("E001", fmt::format("{}[...] goes over an index, not over a position", n.name),
                text_, n.column, n.length, "write a letter, as in sum[t](h[t])");
      if (std::ranges::find(n.over, p.letter) != n.over.end())
        fail_at("E007", fmt::format("{}[...] goes over {} twice", n.name, p.letter), text_,
                n.column, n.length, "write a letter once, as in sum[s,t](h[s,t])");
      n.over.push_back(p.letter);
    }
    n.places.clear();
    n.children.clear();
    n.steps.assign(n.over.size(), 1);
    n.kind = AstNode::Kind::reduction;
    return arguments(std::move(n));
  }
  // -1 where there are some.
  int arguments(AstNode n) {
    expect("(");
    nest();
    if (!accept(")")) {
      name_argument(n);
      pending_.push_back({Pending::Kind::call, std::move(n)});
      return -1;
    }
    --depth_;
    return push(std::move(n));
  }
  // axis=1: those with a name come last
  void name_argument(AstNode& call) {
    const bool named = now().kind == Token::Kind::name &&
                       tokens_[at_ + 1].kind == Token::Kind::sign && tokens_[at_ + 1].text == "=";
    if (!named && call.named.empty()) return;
    if (!named) wrong("a named argument");
    call.named.push_back(now().text);
    at_ += 2;
  }
  void nest() {
    if (++depth_ > kMaxNesting)
      fail_at("E002", fmt::format("brackets are nested deeper than {}", kMaxNesting), text_,
              now().column, 1, "split the equation");
  }

  /// @param computed  takes the roots of those that are arithmetic
  std::vector<Place> places(std::vector<int>& computed) {
    std::vector<Place> result;
    do {
      if (is_plain_place()) {
        result.push_back(place());
        continue;
      }
      nest();
      computed.push_back(comparison());
      --depth_;
      result.push_back({Place::Kind::computed, "", 0});
    } while (accept(","));
    return result;
  }
  // A name or a number, and at most a number added to a name; what is no position says so itself.
  bool is_plain_place() const {
    const auto kind = [&](std::size_t ahead) {
      return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead].kind : Token::Kind::end;
    };
    const auto sign = [&](std::size_t ahead, std::string_view any) {
      return kind(ahead) == Token::Kind::sign &&
             any.find(tokens_[at_ + ahead].text) != std::string_view::npos;
    };
    const auto ends = [&](std::size_t ahead) {
      return kind(ahead) == Token::Kind::end || sign(ahead, ",]");
    };
    if (sign(0, "-")) return kind(1) == Token::Kind::number && ends(2);
    if (kind(0) == Token::Kind::number) return ends(1);
    if (kind(0) != Token::Kind::name) return !sign(0, "(");
    return ends(1) || (sign(1, "+-") && kind(2) == Token::Kind::number && ends(3));
  }
  Place place() {
    Place p;
    bool negative = accept("-");
    if (now().kind == Token::Kind::name) {
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
    if (token.kind != Token::Kind::number)
      wrong("an integer position", "positions are t-1, 3, last or last-1");
    if (token.number != std::floor(token.number) ||
        token.text.find_first_of(".eE") != std::string::npos)
      fail_at("G017", fmt::format("a position must be an integer, got {}", token.text), text_,
              token.column, token.length, "positions are whole steps: t-1, 3, last");
    if (token.number > kMaxOffset)
      fail_at("G017", fmt::format("an offset of {} is more than {}", token.text, kMaxOffset), text_,
              token.column, token.length);
    ++at_;
    return static_cast<int>(token.number);
  }

  void distribution(ParsedEquation& e) {
    const Token head = now();
    e.distribution = expect_name("a distribution");
    static const std::set<std::string> known = {"categorical", "bernoulli", "normal"};
    if (!known.contains(e.distribution))
      fail_at("E003", fmt::format("unknown distribution \"{}\"", e.distribution), text_,
              head.column, head.length, "there are categorical, bernoulli and normal");
    expect("(");
    do {
      const Token key = now();
      e.keywords.push_back(expect_name("logits =, p =, mean = or std ="));
      expect("=");
      ast_ = Ast{};
      comparison();
      e.arguments.push_back(std::move(ast_));
      const bool fits = e.distribution == "normal"
                            ? (e.keywords.back() == "mean" || e.keywords.back() == "std")
                            : (e.keywords.back() == "logits" || e.keywords.back() == "p");
      if (!fits || std::count(e.keywords.begin(), e.keywords.end(), e.keywords.back()) > 1)
        fail_at("E003",
                fmt::format("{} does not take \"{}\" here", e.distribution, e.keywords.back()),
                text_, key.column, key.length,
                e.distribution == "normal" ? "write normal(mean = .., std = ..)"
                                           : "write one of logits = .. and p = ..");
    } while (accept(","));
    expect(")");
    const std::size_t wanted = e.distribution == "normal" ? 2 : 1;
    if (e.arguments.size() != wanted)
      fail_at("E003",
              fmt::format("{} takes {} argument{}", e.distribution, wanted, wanted == 1 ? "" : "s"),
              text_, head.column, head.length,
              wanted == 2 ? "write normal(mean = .., std = ..)"
                          : "write one of logits = .. and p = ..");
  }

  const Text& text_;
  std::vector<Token> tokens_;
  std::shared_ptr<const Text> origin_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::vector<Pending> pending_;
  Ast ast_;
};

}  // namespace

Ast parse_expression(const Text& text) { return Parser(text).expression_to_end(); }
ParsedEquation parse_equation(const Text& text) { return Parser(text).equation(); }
ParsedFunction parse_function(const Text& text) { return Parser(text).function(); }
ParsedName parse_declared_name(const Text& text) { return Parser(text).declared_name(); }

}  // namespace taugrad
