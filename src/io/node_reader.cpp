#include "io/node_reader.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "base/limits.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "graph/gradient_order.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

using json::Event;

constexpr std::array<std::string_view, 12> kFields = {"attrs",  "extent",   "id",      "index",
                                                      "inputs", "known_as", "letters", "name",
                                                      "op",     "order",    "shape",   "value"};
enum : unsigned {
  kAttrs,
  kExtent,
  kId,
  kIndex,
  kInputs,
  kKnownAs,
  kLetters,
  kName,
  kOp,
  kOrder,
  kShape,
  kValue
};

std::string_view kind_of(Event e) {
  switch (e) {
    case Event::begin_object:
      return "object";
    case Event::begin_array:
      return "array";
    case Event::string:
      return "string";
    case Event::integer:
    case Event::real:
      return "number";
    case Event::boolean:
      return "boolean";
    default:
      return "null";
  }
}

}  // namespace

NodeReader::NodeReader(const json::Source& source, Graph& graph)
    : source_(source), tape_(graph.tape()) {
  for (const Op* op : registry()) ops_.emplace(op->name, op);
  ops_.emplace("chain", &kMul);  // the word of graphs written before for a product in a gradient
}

void NodeReader::fail(std::string code, std::string message, std::size_t offset,
                      std::string help) const {
  Diagnostic d = source_.at(std::move(code), std::move(message), offset, 1, std::move(help));
  d.pointer = fmt::format("/nodes/{}", offsets_.size());
  taugrad::fail(Status::bad_input, std::move(d));
}

void NodeReader::fail_type(std::string_view what, std::string_view wanted) const {
  fail("G010", fmt::format("\"{}\" must be {}, got {}", what, wanted, kind_of(event_)),
       now().offset);
}

// `node 5 "h"`, for messages
std::string NodeReader::described() const {
  std::string text = fmt::format("node {}", offsets_.size());
  if (!draft_.name.empty()) text += fmt::format(" \"{}\"", printable(draft_.name, 80));
  return text;
}

std::string_view NodeReader::written() const {
  return source_.text.substr(now().offset, now().end - now().offset);
}

Event NodeReader::next() { return event_ = tokens_->next(); }

std::int64_t NodeReader::integer_now(std::string_view what, std::int64_t least,
                                     std::int64_t most) const {
  const bool number = event_ == Event::integer || event_ == Event::real || event_ == Event::boolean;
  if (!number) fail_type(what, "an integer");
  if (event_ != Event::integer || now().integer < least || now().integer > most)
    fail("G011",
         fmt::format("\"{}\" must be an integer in {}..{}, got {}", what, least, most,
                     printable(written(), 40)),
         now().offset);
  return now().integer;
}

void NodeReader::read(json::Tokens& tokens) {
  tokens_ = &tokens;
  draft_ = {};
  if (next() != Event::begin_object)
    fail("G010", "\"nodes\" must be an array of objects", now().offset);
  draft_.offset = now().offset;
  if (tape_.size() >= limits::kUnfoldedNodes)
    fail("G022", fmt::format("more than {} nodes", limits::kUnfoldedNodes), draft_.offset);
  while (next() == Event::key) read_field();
  require_fields();
  append();
  offsets_.push_back(draft_.offset);
}

void NodeReader::read_field() {
  const std::string_view key = now().text;
  unsigned field = 0;
  while (field < kFields.size() && kFields[field] != key) ++field;
  if (field == kFields.size())
    fail("G009", fmt::format("unknown field \"{}\"", printable(key, 80)), now().offset,
         did_you_mean(key, kFields));
  if ((draft_.seen & (1u << field)) != 0)
    fail("G005", fmt::format("key \"{}\" appears twice", key), now().offset);
  draft_.seen |= 1u << field;
  next();
  const std::size_t offset = now().offset;
  switch (field) {
    case kAttrs:
      read_attrs();
      break;
    case kExtent:
      draft_.extent = integer_now("extent", 0, static_cast<std::int64_t>(tape_.extent_count()) - 1);
      break;
    case kId:
      read_id();
      break;
    case kIndex:
      for (const std::int64_t i : read_ints("index", INT32_MIN, INT32_MAX))
        draft_.index.push_back(static_cast<std::int32_t>(i));
      break;
    case kInputs:
      draft_.inputs_offset = offset;
      read_inputs();
      break;
    case kKnownAs:
      read_known_as();
      break;
    case kLetters:
      draft_.letters_offset = offset;
      read_letters();
      break;
    case kName:
      read_name();
      break;
    case kOp:
      read_op();
      break;
    case kOrder:
      draft_.order = static_cast<int>(integer_now("order", 0, kMostOrder));
      told_orders_ = true;
      break;
    case kShape:
      draft_.shape_offset = offset;
      draft_.dims = read_ints("shape", 0, kMaxDim);
      break;
    case kValue:
      if (event_ != Event::boolean) fail_type("value", "true or false");
      draft_.value = now().boolean;
      break;
    default:
      break;
  }
}

void NodeReader::read_id() {
  const std::int64_t id = integer_now("id", 0, std::numeric_limits<NodeId>::max());
  if (id < tape_.size())
    fail("G013",
         fmt::format("node {} defined twice (first at {})", id, place_of(static_cast<NodeId>(id))),
         now().offset);
  if (id != tape_.size())
    fail("G014", fmt::format("ids are dense: \"id\" must be {}, got {}", tape_.size(), id),
         now().offset);
}

void NodeReader::read_name() {
  if (event_ != Event::string) fail_type("name", "a string");
  draft_.name_offset = now().offset;
  draft_.name = now().text;
  if (draft_.name.empty() || draft_.name.size() > limits::kNameBytes)
    fail("G025",
         fmt::format("a node's name has 1..{} bytes, got {}", limits::kNameBytes,
                     draft_.name.size()),
         now().offset);
}

void NodeReader::read_known_as() {
  if (event_ != Event::string) fail_type("known_as", "a string");
  draft_.known_offset = now().offset;
  draft_.known_as = now().text;
  if (!draft_.known_as.starts_with("grad:"))
    fail("G025",
         fmt::format("\"known_as\" is grad:W of a further gradient of W, got \"{}\"",
                     printable(draft_.known_as, 80)),
         now().offset);
}

void NodeReader::read_letters() {
  if (event_ != Event::begin_array) fail_type("letters", "an array of names");
  while (next() != Event::end_array) {
    if (event_ != Event::string) fail_type("letters", "an array of names");
    draft_.letters.emplace_back(now().text);
  }
}

void NodeReader::read_op() {
  if (event_ != Event::string) fail_type("op", "a string");
  const auto op = ops_.find(now().text);
  if (op == ops_.end()) {
    std::vector<std::string_view> known;
    for (const Op* each : registry()) known.push_back(each->name);
    const std::string near = did_you_mean(now().text, known);
    fail("G012", fmt::format("unknown op \"{}\"", printable(now().text, 80)), now().offset,
         near + (near.empty() ? "" : " ") + "(one of your own: register_op)");
  }
  draft_.op = op->second;
}

Ints NodeReader::read_ints(std::string_view what, std::int64_t least, std::int64_t most) {
  if (event_ != Event::begin_array) fail_type(what, "an array of integers");
  Ints list;
  while (next() != Event::end_array) list.push_back(integer_now(what, least, most));
  return list;
}

void NodeReader::read_inputs() {
  if (event_ != Event::begin_array) fail_type("inputs", "an array of node ids");
  while (next() != Event::end_array) {
    const std::int64_t id = integer_now("inputs", INT32_MIN, INT32_MAX);
    if (id < 0 || id >= tape_.size())
      fail("G014", fmt::format("input {} of {} is not defined before it", id, described()),
           now().offset, "an input is the id of an earlier node");
    draft_.inputs.push_back(static_cast<NodeId>(id));
  }
  inputs_ += draft_.inputs.size();
  if (inputs_ > std::numeric_limits<std::uint32_t>::max())
    fail("G022", "more than 2^32 inputs in all", draft_.inputs_offset);
}

void NodeReader::read_attrs() {
  if (event_ != Event::begin_object) fail_type("attrs", "an object");
  while (next() == Event::key) {
    const std::string name(now().text);
    const std::size_t offset = now().offset;
    if (draft_.attrs.has(name))
      fail("G005", fmt::format("key \"{}\" appears twice", printable(name, 80)), offset);
    next();
    draft_.attrs.set(name, read_attr(printable(name, 80)));
  }
}

// An integer, a real number (or "inf", "-inf", "nan"), integers, or text ({"text": "inf"} where the
// bare string would be a number).
Attr NodeReader::read_attr(const std::string& what) {
  if (event_ == Event::integer) return now().integer;
  if (event_ == Event::real) return now().real;
  if (event_ == Event::begin_array) return read_ints(what, INT64_MIN, INT64_MAX);
  if (event_ == Event::string) {
    const std::string_view text = now().text;
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (text == "inf") return kInfinity;
    if (text == "-inf") return -kInfinity;
    if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
    return std::string(text);
  }
  if (event_ != Event::begin_object) fail_type(what, "a number, integers or a string");
  if (next() != Event::key || now().text != "text" || next() != Event::string)
    fail("G010", fmt::format("\"{}\" as an object must be {{\"text\": string}}", what),
         now().offset);
  std::string text(now().text);
  if (next() != Event::end_object) fail("G009", "unknown field beside \"text\"", now().offset);
  return text;
}

void NodeReader::require_fields() const {
  for (const unsigned field : {kOp, kShape, kExtent, kId})
    if ((draft_.seen & (1u << field)) == 0)
      fail("G010", fmt::format("{} lacks the field \"{}\"", described(), kFields[field]),
           draft_.offset);
  const bool lettered = (draft_.seen & (1u << kLetters)) != 0;
  if (lettered && (draft_.letters.empty() || draft_.letters.size() != draft_.index.size()))
    fail("G010",
         fmt::format("{} has {} numbers in \"index\" and {} \"letters\"", described(),
                     draft_.index.size(), draft_.letters.size()),
         draft_.letters_offset, "a letter for each number of the index, or none at all");
}

std::string NodeReader::place_of(NodeId id) const {
  return to_string(source_.place(offsets_[static_cast<std::size_t>(id)]));
}

}  // namespace taugrad
