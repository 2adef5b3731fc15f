#include "draw/text/text.h"

#include <array>
#include <cmath>
#include <cstdint>

#include "base/utf8.h"

namespace taugrad::draw {
namespace {

// Advance widths of Helvetica for ' '..'~', in thousandths of the font size (Adobe font metrics).
constexpr std::array<std::int16_t, 95> kAdvance = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584};

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// East Asian letters and symbols beyond the first plane are as wide as the font is high.
double wide_advance(unsigned char lead) { return lead >= 0xE3 ? 1.0 : 0.62; }

bool is_blank(std::string_view sequence) {
  return sequence == "\t" || sequence == "\n" || sequence == "\r";
}

// U+FFFE and U+FFFF are well-formed UTF-8 but no characters of XML.
bool is_noncharacter(std::string_view sequence) {
  return sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF";
}

// Copies `text` to `out`, ASCII through `ascii(out, c)`, what is no character as U+FFFD.
template <class Ascii>
void copy_escaped(std::string& out, std::string_view text, Ascii ascii) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_sequence(text, at);
    const std::string_view sequence = text.substr(at, length == 0 ? 1 : length);
    if (length == 0 || (is_control(sequence) && !is_blank(sequence)) || is_noncharacter(sequence)) {
      out += kReplacement;
    } else if (length == 1) {
      ascii(out, text[at]);
    } else {
      out += sequence;
    }
    at += sequence.size();
  }
}

}  // namespace

double text_width(std::string_view text, double font_size) {
  double width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    const std::size_t length = utf8_sequence(text, at);
    if (c >= 0x20 && c < 0x7F) {
      width += kAdvance[c - 0x20u] / 1000.0;
    } else {
      width += wide_advance(c);
    }
    at += length == 0 ? 1 : length;
  }
  return width * font_size;
}

std::string xml_escape(std::string_view text) {
  std::string out;
  copy_escaped(out, text, [](std::string& to, char c) {
    switch (c) {
      case '&':
        to += "&amp;";
        break;
      case '<':
        to += "&lt;";
        break;
      case '>':
        to += "&gt;";
        break;
      case '"':
        to += "&quot;";
        break;
      case '\'':
        to += "&#39;";
        break;
      case '\n':
        to += "&#10;";
        break;
      case '\r':
        to += "&#13;";
        break;
      case '\t':
        to += "&#9;";
        break;
      default:
        to += c;
    }
  });
  return out;
}

std::string dot_escape(std::string_view text) {
  std::string out;
  copy_escaped(out, text, [](std::string& to, char c) {
    switch (c) {
      case '"':
        to += "\\\"";
        break;
      case '\\':
        to += "\\\\";
        break;
      case '\n':
        to += "\\n";
        break;
      case '\r':
        to += ' ';
        break;
      case '&':
        to += "&amp;";
        break;  // Graphviz reads entities in labels
      default:
        to += c;
    }
  });
  return out;
}

std::string second_line(const PictureNode& node, bool with_op) {
  if (!with_op || node.op.empty()) return node.shape;
  return node.shape.empty() ? node.op : node.op + "  " + node.shape;
}

void append_number(std::string& out, double value) {
  const auto tenths = static_cast<long long>(std::llround(value * 10));
  const long long magnitude = tenths < 0 ? -tenths : tenths;
  if (tenths < 0) out += '-';
  out += std::to_string(magnitude / 10);
  if (magnitude % 10 != 0) {
    out += '.';
    out += static_cast<char>('0' + magnitude % 10);
  }
}

}  // namespace taugrad::draw
