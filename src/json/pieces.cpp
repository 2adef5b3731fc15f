#include "json/pieces.h"

namespace taugrad::json {
namespace {

class Splitter {
 public:
  explicit Splitter(const PieceTakers& takers) : takers_(takers) {}

  void take(const Token& token) {
    const Event e = token.event;
    const bool opens = e == Event::begin_object || e == Event::begin_array;
    const bool closes = e == Event::end_object || e == Event::end_array;
    if (depth_ == 0) takers_.root(token);
    if (depth_ == 1 && e == Event::key) {
      cut_ = takers_.key(token);
      return;
    }
    if (depth_ == 1 && cut_ == Cut::elements && e != Event::begin_array) cut_ = Cut::whole;
    // the depth of a piece's own events: those around it are not kept
    const int inside = cut_ == Cut::elements ? 2 : 1;
    if (closes) --depth_;
    if (depth_ >= inside && cut_ != Cut::skip) piece_.keep(token);
    const bool outside = depth_ < inside;
    if (opens) ++depth_;
    if (outside || depth_ > inside || cut_ == Cut::skip) return;
    (cut_ == Cut::elements ? takers_.element : takers_.value)(piece_);
    piece_.clear();
  }

 private:
  const PieceTakers& takers_;
  Tokens piece_;
  Cut cut_ = Cut::whole;
  int depth_ = 0;
};

}  // namespace

void parse_pieces(const Source& source, const PieceTakers& takers) {
  Splitter splitter(takers);
  parse(source, [&](const Token& token) {
    splitter.take(token);
    return true;
  });
}

}  // namespace taugrad::json
