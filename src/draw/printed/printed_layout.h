#pragma once

#include <optional>
#include <vector>

#include "draw/layout/layout.h"
#include "draw/printed/printed_cell.h"

/// The layout of printed pictures (Picture::printed): circles in columns by step and rows by level,
/// from bottom to top, straight lines where nothing is in their way, else arcs; each gradient
/// mirrored over what it is the gradient of; texts clear of each other and of all circles.
namespace taugrad::draw {

inline constexpr double kCircle = 32;       ///< diameter of a circle with a short name
inline constexpr double kLabelHeight = 12;  ///< of a text beside a line
inline constexpr double kSquare = 7;        ///< side of a delay's square
inline constexpr double kHeadLength = 8, kHeadWidth = 6;  ///< of an arrow
inline constexpr double kPrintedSize = 14;                ///< font size of a name
inline constexpr double kPrintedLabel = 12;               ///< of a weight beside its line

inline constexpr double kSlotPitch = 58;  ///< between nodes of a row, at scale 1
inline constexpr double kRowPitch = 66;   ///< between rows

/// Width of a circle, or of the box with round ends that a long name has.
double printed_node_width(const PictureNode& node);

/// How the steps are arranged, by pattern. @param attempt  of arrange_cell
std::vector<PrintedCell> printed_cells(const Picture& picture, int attempt);
/// Where the nodes stand. @param scale  of the gaps between them
std::vector<Box> printed_places(const Picture& picture, const std::vector<PrintedCell>& cells,
                                double scale);

/// Whether, of a plane, each of some nodes reads many of the others: no place of the plane is near
/// to all that it reads.
bool is_layer(const Picture& picture);
/// What reads nothing in a row, what reads it in a row above.
std::vector<Box> two_rows(const Picture& picture, double scale);

/// Lines of all edges, from boundary to boundary; nothing where one cannot be drawn clear of nodes.
std::optional<std::vector<Path>> printed_routes(const Picture& picture,
                                                const std::vector<Box>& boxes);

/// How often lines cross each other.
int printed_crossings(const std::vector<Path>& paths);

/// Squares on lines, texts beside nodes (Layout::sides), then beside lines: where there is room
/// none on an arrow head or as near to another line as to its own. @returns whether all are clear
/// of circles, lines and each other; else those from the first on that is not have no place
bool place_printed_texts(const Picture& picture, Layout& layout);

/// Width of the text beside an edge, and of that beside a node.
double printed_width(const PictureEdge& edge);
double side_width(const PictureNode& node);

/// Points along a path, its ends included: two of a straight line.
std::vector<Point> sampled(const Path& path);

/// Nothing where the picture is too large or too dense to be printed so.
std::optional<Layout> lay_out_printed(const Picture& picture);

}  // namespace taugrad::draw
