#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "json/parse.h"
#include "taugrad/graph/graph.h"
#include "taugrad/graph/op.h"

namespace taugrad {

/// Reads the nodes of a graph file one after the other and appends each to the tape, checked.
class NodeReader {
 public:
  NodeReader(const json::Source& source, Graph& graph);
  /// Reads the events of one node, from its begin_object to its end.
  void read(json::Tokens& tokens);
  /// Whether any node said of which derivative it is a part.
  bool told_orders() const { return told_orders_; }

 private:
  // what one node's fields said, before it is appended
  struct Draft {
    std::size_t offset = 0;
    const Op* op = nullptr;
    Attrs attrs;
    std::vector<NodeId> inputs;
    std::vector<std::int64_t> dims;
    std::vector<std::int32_t> index;
    std::vector<std::string> letters;
    std::string name, known_as;
    std::int64_t extent = -1;
    int order = 0;
    bool value = false;
    unsigned seen = 0;
    std::size_t shape_offset = 0, inputs_offset = 0, name_offset = 0, letters_offset = 0,
                known_offset = 0;
  };

  json::Event next();
  const json::Token& now() const { return tokens_->now(); }
  std::string_view written() const;  // a number or word as it stands in the file
  void read_field();
  void read_op();
  void read_id();
  void read_name();
  void read_known_as();
  void read_letters();
  void read_inputs();
  void read_attrs();
  Attr read_attr(const std::string& what);
  Ints read_ints(std::string_view what, std::int64_t least, std::int64_t most);
  void require_fields() const;
  void append();
  void convert_attrs();
  void set_owner();
  Shape checked_shape() const;
  void name_value(NodeId id);
  void know_as(NodeId id);
  Var append_checked(const Shape& shape);

  std::int64_t integer_now(std::string_view what, std::int64_t least, std::int64_t most) const;
  [[noreturn]] void fail_type(std::string_view what, std::string_view wanted) const;
  [[noreturn]] void fail(std::string code, std::string message, std::size_t offset,
                         std::string help = {}) const;
  [[noreturn]] void refuse(const Error& why, std::size_t offset) const;
  std::string described() const;
  std::string place_of(NodeId id) const;

  const json::Source& source_;
  Tape& tape_;
  std::unordered_map<std::string_view, const Op*> ops_;
  std::vector<std::uint64_t> offsets_;  // of each node in the file
  std::uint64_t inputs_ = 0;
  bool told_orders_ = false;
  json::Tokens* tokens_ = nullptr;  // of the node that is read
  json::Event event_ = json::Event::end;
  Draft draft_;
  Vars inputs_of_;  // of the draft; kept for its storage
};

}  // namespace taugrad
