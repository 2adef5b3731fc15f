#pragma once

#include <string>
#include <string_view>

#include "taugrad/graph/graph.h"

namespace taugrad::draw {

/// What stands for an op in a picture: "+", "@", "tanh", "slice 0:3", "0.5" for a constant.
std::string op_text(const Tape& tape, NodeId id);
/// The same for an op by name, of whatever graph.
std::string op_text(std::string_view op, const Attrs& attrs);

/// The op with its attributes and shape, for a pointer resting on a node: "h[3] = tanh, shape [4]".
std::string node_title(const Tape& tape, NodeId id);

/// Ops that neither compute nor name anything: broadcasting, copies, which items. Left out of most
/// pictures.
bool only_spreads(const Op& op);

/// Text of an attribute's value.
std::string attr_text(const Attr& value);

}  // namespace taugrad::draw
