#pragma once

#include <string>
#include <vector>

#include "taugrad/draw/graph_picture.h"
#include "taugrad/ops/ops.h"

namespace taugrad::test {

// Names that need every kind of care.
inline const std::vector<std::string> kNasty{"a\"b",
                                             "a\\",
                                             "\\N",
                                             "a<b>",
                                             "a|b{c}",
                                             "two\nlines",
                                             "tab\there",
                                             "&amp;",
                                             "a&b",
                                             "</text>",
                                             "]]>",
                                             "<!--",
                                             "ü∂λ日本🙂",
                                             "\x01\x02",
                                             "node",
                                             "graph",
                                             "e0 -> e1;",
                                             "9lives",
                                             "'quoted'",
                                             "a;b",
                                             "%d%s",
                                             "\xEF\xBF\xBF\x7F",
                                             "-->",
                                             "\r\n",
                                             "\\\"",
                                             "subgraph",
                                             "label=\"x",
                                             "$\\alpha$",
                                             std::string(256, 'w')};

inline Picture nasty_picture() {
  Graph g;
  Var sum = g.constant(0);
  for (std::size_t i = 0; i < kNasty.size(); ++i) {
    const Var x = i % 2 == 0 ? g.weight(kNasty[i]) : g.input(kNasty[i]);
    sum = g.name(sum + x, kNasty[i], {static_cast<int>(i)});
  }
  GraphPictureOptions options;
  options.title = "\"<&\n\\>";
  options.about = "--></desc>";
  return picture_of(g.tape(), options);
}

}  // namespace taugrad::test
