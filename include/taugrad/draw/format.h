#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "taugrad/draw/explorer.h"
#include "taugrad/draw/picture.h"
#include "taugrad/draw/render.h"

namespace taugrad {

/// What a drawing is written from. Each part is made when a format asks for it.
struct FormatSource {
  std::function<Picture()> picture;        ///< the view asked for
  std::function<Explorer()> page = {};     ///< all views; empty: the picture alone
  std::function<std::string()> json = {};  ///< what is drawn, itself; empty: a picture has none
};

/// A format of drawings: a row of the table, a file in src/draw/render.
struct Format {
  std::string_view name;    ///< what `--format` takes
  std::string_view suffix;  ///< what a file's name ends in: "svg", "model-explorer.json"
  std::string_view about;
  bool all_views = false;  ///< written from `page`, which has values and gradients of all views
  std::string (*text)(const FormatSource& source, const RenderOptions& options) = nullptr;

  bool is_json() const { return suffix.ends_with("json"); }
};

/// All of them, by name. Every one gives the same bytes for the same source.
std::span<const Format> formats();

/// @throws Error (U002) naming all formats where there is none of this name
const Format& format_named(std::string_view name);

/// The format that the end of a file's name tells; nullptr where it tells nothing ("-", "net").
/// @throws Error (U002) naming all suffixes where it is none of them
const Format* format_of_file(const std::string& path);
/// The same where the name need not tell it: nullptr for any other suffix.
const Format* format_by_suffix(const std::string& path);

}  // namespace taugrad
