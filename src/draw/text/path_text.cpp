#include "draw/text/path_text.h"

#include <cmath>

#include "draw/text/text.h"

namespace taugrad::draw {

bool is_line(const Point* p) {
  const double dx = p[3].x - p[0].x, dy = p[3].y - p[0].y;
  const auto off = [&](Point q) { return std::abs((q.x - p[0].x) * dy - (q.y - p[0].y) * dx); };
  return off(p[1]) < 0.01 && off(p[2]) < 0.01;
}

std::string path_text(const Path& path, Point origin) {
  std::string out = "M";
  const auto add = [&](Point p) {
    append_number(out, p.x - origin.x);
    out += ' ';
    append_number(out, p.y - origin.y);
  };
  const auto& p = path.points;
  add(p[0]);
  for (std::size_t i = 0; i + 3 < p.size(); i += 3) {
    if (is_line(&p[i])) {
      out += 'L';
    } else {
      out += 'C';
      add(p[i + 1]);
      out += ' ';
      add(p[i + 2]);
      out += ' ';
    }
    add(p[i + 3]);
  }
  return out;
}

}  // namespace taugrad::draw
