#include "language/syntax/syntax_help.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <vector>

#include "base/suggest.h"
#include "language/syntax/flat_definition.h"

namespace taugrad {
namespace {

struct Row {
  std::string_view written, help;
};

// characters that no equation has
constexpr Row kCharacters[]{
    {"^T", "write transpose(W) for the transpose"},
    {"^{T", "write transpose(W) for the transpose"},
    {"^\\top", "write transpose(W) for the transpose"},
    {"^", "write pow(a, b) for powers"},
    {":=", "write = for a value, ~ for what is drawn"},
    {"'", "write transpose(W) for the transpose"},
    {"\\", "write functions by name, tanh(a), and @ for the product of matrices"},
    {"&", "conditions are 0 or 1: (a > 0) * (b > 0) holds where both do"},
    {"|", "conditions are 0 or 1: max(a, b) holds where one does"},
    {"!", "conditions are 0 or 1: 1 - c is the opposite of c; != is unequal"},
    {"?", "write where(condition, a, b)"},
    {";", "write each equation by itself: -e '..' -e '..', or strings of \"equations\""},
    {"#", "an equation holds no comment; a definition has \"about\""},
    {"−", "write the minus of the keyboard, -"},
    {"–", "write the minus of the keyboard, -"},
    {"·", "write @ for the product of matrices, * for that of elements"},
    {"⋅", "write @ for the product of matrices, * for that of elements"},
    {"×", "write @ for the product of matrices, * for that of elements"},
    {"∗", "write *"},
    {"⊙", "write * for the product of elements"},
    {"∘", "write * for the product of elements"},
    {"⊗", "write * for the product of elements, @ for that of matrices"},
    {"σ", "write sigmoid(a)"},
    {"∑", "write sum(a) over elements, sum[t](a[t]) over an index"},
    {"Σ", "write sum(a) over elements, sum[t](a[t]) over an index"},
    {"√", "write sqrt(a)"},
    {"²", "write pow(a, 2)"},
    {"³", "write pow(a, 3)"},
    {"ᵀ", "write transpose(W)"},
    {"⊤", "write transpose(W)"},
    {"≤", "write <="},
    {"≥", "write >="},
    {"≠", "write !="},
    {"←", "write ="},
    {"∼", "write ~"},
    {"’", "write transpose(W) for the transpose"},
    {"ₜ", "write positions in brackets: h[t]"},
};

// functions of NumPy, PyTorch and others
constexpr Row kFunctions[]{
    {"dot", "write W @ h"},
    {"matmul", "write W @ h"},
    {"mm", "write W @ h"},
    {"bmm", "write W @ h"},
    {"mv", "write W @ h"},
    {"einsum", "write W @ h, and sum(a * b) for a sum of products"},
    {"linear", "write b + W @ x"},
    {"swish", "write silu(a)"},
    {"logsigmoid", "write log_sigmoid(a)"},
    {"lse", "write logsumexp(a)"},
    {"log_sum_exp", "write logsumexp(a)"},
    {"leakyrelu", "write leaky_relu(a, s)"},
    {"remainder", "write mod(a, b)"},
    {"fmod", "write mod(a, b)"},
    {"square", "write pow(a, 2)"},
    {"rsqrt", "write 1 / sqrt(a)"},
    {"product", "write prod(a)"},
    {"normalize", "write unit(a)"},
    {"inv", "write solve(A, b) for the inverse of A times b, solve(A, eye(m)) for the inverse"},
    {"inverse", "write solve(A, b) for the inverse of A times b, solve(A, eye(m)) for the inverse"},
    {"det", "write exp(logdet(A)) for its magnitude"},
    {"slogdet", "write logdet(A)"},
    {"identity", "write eye(m)"},
    {"permute", "write transpose(a, 0, 2, 1)"},
    {"rmsnorm", "write rms_norm(a, g)"},
    {"layernorm", "write layer_norm(a, g, b)"},
    {"unsqueeze", "write reshape(a, m, 1)"},
    {"squeeze", "write reshape(a, m)"},
    {"gather", "write at(a, i), or embed(E, y) of a category"},
    {"infinity", "write inf"},
    {"multiply", "write a * b"},
    {"mul", "write a * b"},
    {"add", "write a + b"},
    {"sub", "write a - b"},
    {"subtract", "write a - b"},
    {"div", "write a / b"},
    {"divide", "write a / b"},
    {"power", "write pow(a, b)"},
    {"logistic", "write sigmoid(a)"},
    {"expit", "write sigmoid(a)"},
    {"ln", "write log(a)"},
    {"cat", "write concat(a, b)"},
    {"concatenate", "write concat(a, b)"},
    {"hstack", "write concat(a, b)"},
    {"vstack", "write stack(a, b)"},
    {"maximum", "write max(a, b)"},
    {"fmax", "write max(a, b)"},
    {"fmin", "write min(a, b)"},
    {"minimum", "write min(a, b)"},
    {"clip", "write clamp(a, lo, hi)"},
    {"embedding", "write embed(E, i), row i of E"},
    {"lookup", "write embed(E, i), row i of E"},
    {"t", "write transpose(W)"},
    {"detach", "write stop_gradient(a)"},
    {"average", "write mean(a)"},
    {"view", "write reshape(a, p, q)"},
    {"cross_entropy", "write y[t] ~ categorical(logits = o[t]): its likelihood is the loss"},
    {"crossentropy", "write y[t] ~ categorical(logits = o[t]): its likelihood is the loss"},
    {"nll_loss", "write y[t] ~ categorical(logits = o[t]): its likelihood is the loss"},
    {"categorical", "a variable is drawn by ~: y[t] ~ categorical(logits = o[t])"},
    {"bernoulli", "a variable is drawn by ~: y[t] ~ bernoulli(logits = o[t])"},
    {"normal", "a variable is drawn by ~: y[t] ~ normal(mean = m[t], std = s)"},
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view find(std::span<const Row> rows, std::string_view text, bool whole) {
  for (const Row& r : rows)
    if (whole ? text == r.written : text.starts_with(r.written)) return r.help;
  return {};
}

std::string_view before(std::string_view text, std::size_t column) {
  while (column > 0 && (text[column - 1] == ' ' || text[column - 1] == '\t')) --column;
  return text.substr(0, column);
}

// the word at the end of a text, with its brackets: "h[t-1]", "W", "2"
std::string_view last_operand(std::string_view text) {
  std::size_t at = text.size();
  if (text.ends_with(']')) {
    at = text.rfind('[');
    if (at == std::string_view::npos) return {};
  }
  while (at > 0 && (is_word(text[at - 1]) || text[at - 1] == '.')) --at;
  return text.substr(at);
}

// the word at the beginning of a text, with its brackets
std::string_view first_operand(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && (is_word(text[at]) || text[at] == '.')) ++at;
  if (at > 0 && at < text.size() && text[at] == '[') {
    const std::size_t close = text.find(']', at);
    if (close != std::string_view::npos) at = close + 1;
  }
  return text.substr(0, at);
}

// h_{t-1}
std::string subscript(std::string_view text, std::size_t column) {
  const std::string_view name = last_operand(text.substr(0, column - 1));
  const std::size_t close = text.find('}', column);
  if (name.empty() || close == std::string_view::npos) return "write positions in brackets: h[t-1]";
  return fmt::format("write {}[{}]: positions stand in brackets", name,
                     text.substr(column + 1, close - column - 1));
}

bool ends_operand(std::string_view text) {
  return !text.empty() && (is_word(text.back()) || text.back() == ')' || text.back() == ']');
}

// `W h[t-1]`: two operands without a sign between them
std::string juxtaposed(std::string_view text, std::size_t column) {
  const std::string_view left = last_operand(before(text, column));
  const std::string_view right = first_operand(text.substr(column));
  const std::string a(left.empty() ? "a" : left), b(right.empty() ? "b" : right);
  if (!a.empty() && a[0] >= '0' && a[0] <= '9') return fmt::format("write {} * {}", a, b);
  return fmt::format("write {} @ {} for the product of matrices, * for that of elements", a, b);
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

// where a token stands that may stand elsewhere
std::string help_at_token(std::string_view text, std::size_t column, std::string_view wanted) {
  const std::string_view rest = text.substr(column), left = before(text, column);
  const bool defines = wanted == "'='";
  if (rest.starts_with("==")) return defines ? "write = for a value; == compares" : "";
  if (defines && rest.starts_with("<-")) return "write = for a value, ~ for what is drawn";
  if (defines && rest.size() > 1 && rest[1] == '=')
    return "every position has one value: write h[t] = h[t-1] + ..";
  if (defines && rest.starts_with("(") && !last_operand(left).empty()) {
    const std::size_t close = rest.find(')');
    return fmt::format("write {}[{}]: positions stand in square brackets", last_operand(left),
                       close == std::string_view::npos ? "t" : rest.substr(1, close - 1));
  }
  if (rest.starts_with("*") && left.ends_with('*')) return "write pow(a, b) for powers";
  if (rest.starts_with("/") && left.ends_with('/')) return "write a / b; numbers are real";
  if (rest.starts_with("[")) return "write concat(a, b) to join vectors, zeros(m) for zeros";
  if (rest.starts_with(",") && wanted == "')'") return "write concat(a, b) to join vectors";
  if (rest.starts_with("=") && text.find('~') == std::string_view::npos)
    return "a variable is drawn by ~: y[t] ~ categorical(logits = o[t])";
  const std::string_view word = first_operand(rest);
  if (is_one_of(word, {"if", "else"})) return "write where(condition, a, b)";
  if (is_one_of(word, {"and", "or", "not"}))
    return "conditions are 0 or 1: (a > 0) * (b > 0) holds where both do, 1 - c where c does not";
  if ((!word.empty() || rest.starts_with("(")) && ends_operand(left))
    return juxtaposed(text, column);
  if (rest.empty() && wanted == "')'") return "a bracket is not closed";
  if (rest.starts_with(")") && wanted == "the end of the equation")
    return "there is one bracket too many";
  return {};
}

}  // namespace

std::string syntax_help(std::string_view text, std::size_t column, std::string_view wanted) {
  if (!wanted.empty()) return help_at_token(text, column, wanted);
  const std::string_view rest = text.substr(column);
  if (rest.starts_with("{") && column > 0 && text[column - 1] == '_')
    return subscript(text, column);
  if (const std::string_view help = find(kCharacters, rest, false); !help.empty())
    return std::string(help);
  const auto c = static_cast<unsigned char>(rest.empty() ? ' ' : rest[0]);
  if (c == 0xCE || c == 0xCF) return "names are letters a-z, digits and _: write alpha, beta";
  return {};
}

std::string function_help(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::string_view bare = dot == std::string_view::npos ? name : name.substr(dot + 1);
  std::string lower(bare);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  if (is_function_name(lower) && dot != std::string_view::npos)
    return fmt::format("write {}(..)", lower);
  return std::string(find(kFunctions, lower, true));
}

// "t - 1", where an argument is an index or an offset of one
static std::string position_text(const Ast& ast, int id,
                                 const std::function<bool(const std::string&)>& is_index) {
  const AstNode* n = &ast.nodes[static_cast<std::size_t>(id)];
  std::string offset;
  if (n->kind == AstNode::Kind::number) return n->name;
  if (n->kind == AstNode::Kind::binary && (n->name == "-" || n->name == "+")) {
    const AstNode& by = ast.nodes[static_cast<std::size_t>(n->children[1])];
    if (by.kind == AstNode::Kind::number) offset = n->name + by.name;
    n = &ast.nodes[static_cast<std::size_t>(n->children[0])];
  }
  return n->kind == AstNode::Kind::name && is_index(n->name) ? n->name + offset : "";
}

std::string unknown_function_help(const Ast& ast, const AstNode& call, bool variable,
                                  const std::function<bool(const std::string&)>& is_index) {
  const std::string other = function_help(call.name);
  std::string near = other.empty() ? did_you_mean(call.name, function_names()) : other;
  if (!variable && !near.empty()) return near;
  std::string at = call.children.size() == 1 ? position_text(ast, call.children[0], is_index) : "";
  if (at.empty() && !variable) return near;
  return fmt::format("write {}[{}]: positions stand in square brackets", call.name,
                     at.empty() ? "t" : at);
}

std::string dotted_help(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  if (name.substr(dot + 1) == "T") return fmt::format("write transpose({})", name.substr(0, dot));
  return "a dot joins an import and a name of it: b1.h";
}

}  // namespace taugrad
