#pragma once

#include <string>

#include "taugrad/draw/format.h"

/// The functions of the table, a file each.
namespace taugrad::draw {

std::string dot_format(const FormatSource& source, const RenderOptions& options);
std::string graphml_format(const FormatSource& source, const RenderOptions& options);
std::string html_format(const FormatSource& source, const RenderOptions& options);
std::string json_format(const FormatSource& source, const RenderOptions& options);
std::string mermaid_format(const FormatSource& source, const RenderOptions& options);
std::string model_explorer_format(const FormatSource& source, const RenderOptions& options);
std::string node_data_format(const FormatSource& source, const RenderOptions& options);
std::string svg_format(const FormatSource& source, const RenderOptions& options);
std::string sync_format(const FormatSource& source, const RenderOptions& options);
std::string tikz_format(const FormatSource& source, const RenderOptions& options);

/// All views, or the one picture that there is.
Explorer page_of(const FormatSource& source);

}  // namespace taugrad::draw
