// The table of formats: what other programs are given, and that they take it.
#include <catch2/catch.hpp>
#include <regex>
#include <set>

#include "support_golden.h"
#include "support_nasty.h"
#include "support_picture.h"
#include "taugrad/base/error.h"
#include "taugrad/draw/format.h"
#include "taugrad/draw/write.h"
#include "taugrad/io/graph_json.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

/// A definition unfolded over three steps, with all its views.
FormatSource source_of(const Definition& d) {
  return {.picture = [&d] { return picture_of(unfold(d, {.steps = 3})); },
          .page = [&d] { return explore(d, {.unfolding = {.steps = 3}, .view = "unfolded"}).page; },
          .json = [&d] { return to_json(unfold(d, {.steps = 3}).graph()); }};
}
std::string text_of(const std::string& format, const Picture& picture) {
  return format_named(format).text({.picture = [&] { return picture; }}, {});
}
std::string text_of(const std::string& format, const Definition& d) {
  return format_named(format).text(source_of(d), {});
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("formats: names and suffixes are their own", "[formats]") {
  std::set<std::string_view> names, suffixes;
  for (const Format& f : formats()) {
    CHECK(names.insert(f.name).second);
    CHECK(suffixes.insert(f.suffix).second);
    CHECK_FALSE(f.about.empty());
    CHECK(&format_named(f.name) == &f);
    CHECK(format_of_file("a.b/net." + std::string(f.suffix)) == &f);
  }
  CHECK(format_of_file("-") == nullptr);
  CHECK(format_of_file("net") == nullptr);
  for (const std::string name : {"SVG", "", "jpg"}) CHECK_THROWS_AS(format_named(name), Error);
  for (const std::string file : {"net.png", "net.xml"}) {
    try {
      format_of_file(file);
      FAIL_CHECK(file);
    } catch (const Error& e) {
      CHECK(e.diagnostics()[0].code == "U002");
      for (const std::string_view suffix : suffixes)
        CHECK(has(e.diagnostics()[0].message, "." + std::string(suffix)));
    }
  }
}

TEST_CASE("formats: every shipped graph in every format, the same bytes", "[formats]") {
  for (const std::string& name : shipped_names()) {
    const Definition d = shipped_definition(name);
    const FormatSource source = source_of(d);
    for (const Format& f : formats()) {
      if (f.name == "node-data") continue;  // of values
      INFO(name << " " << f.name);
      const std::string text = f.text(source, {});
      CHECK_FALSE(text.empty());
      CHECK(text.ends_with('\n'));
      CHECK(text == f.text(source, {}));
    }
  }
}

TEST_CASE("formats: golden files at three steps", "[formats][golden]") {
  const Definition d = shipped_definition("elman");
  for (const std::string format : {"mermaid", "graphml", "tikz", "sync"})
    check_golden("elman.unfolded3." + std::string(format_named(format).suffix), text_of(format, d));
}

TEST_CASE("formats: a picture alone has no JSON", "[formats]") {
  const Picture p = picture_of(unfold(shipped_definition("elman"), {.steps = 2}));
  for (const Format& f : formats()) {
    if (f.name == "json" || f.name == "node-data")
      CHECK_THROWS_AS(text_of(std::string(f.name), p), Error);
    else
      CHECK_FALSE(text_of(std::string(f.name), p).empty());
  }
}

TEST_CASE("formats: a picture's numbers are checked in each", "[formats]") {
  Picture bad;
  bad.edges.resize(1);
  for (const Format& f : formats()) CHECK_THROWS_AS(text_of(std::string(f.name), bad), Error);
}

TEST_CASE("mermaid: lines of its grammar, whatever the names", "[formats][mermaid]") {
  const std::regex text(R"re("([^"<>&`;#]|<br/>|#[0-9]+;)*")re");
  const std::string q = R"re("[^"\n]*")re", id = "n_[A-Za-z0-9_]+";
  const std::regex line(
      "---|title: .*|flowchart LR|  %% .*|  end|"
      "  subgraph step_[0-9]+\\[" +
      q +
      "\\]|"
      " +" +
      id + "(\\[/|\\{\\{|\\(\\[|\\[\\[|\\(|\\[)" + q +
      "(/\\]|\\}\\}|\\]\\)|\\]\\]|\\)|\\])|"
      "  " +
      id + " (-->|-\\.->|==>)(\\|" + q + "\\|)? " + id +
      "|"
      "  linkStyle [0-9,]+ stroke:#[0-9a-f]{6}|"
      "  classDef look[0-9]+ fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6},color:#[0-9a-f]{6}"
      "(,stroke-width:3px)?|"
      "  class [A-Za-z0-9_,]+ look[0-9]+");
  for (const Picture& p :
       {nasty_picture(), picture_of(unfold(shipped_definition("lstm"), {.steps = 12}))}) {
    int number = 0;
    const std::regex quotes(q);
    for (const std::string& l : lines_of(text_of("mermaid", p))) {
      INFO(l);
      CHECK(std::regex_match(l, line));
      if (++number < 4) continue;
      for (std::sregex_iterator at(l.begin(), l.end(), quotes), end; at != end; ++at) {
        const std::string quoted = at->str();
        CHECK(std::regex_match(quoted, text));
      }
    }
  }
}

TEST_CASE("graphml: other programs read back nodes, edges and every name", "[formats][xml]") {
  if (!has_command("/usr/bin/python3")) {
    WARN("python3 is not installed: nothing was read back");
    return;
  }
  const TemporaryFile script(".py", R"py(
import json, sys, xml.etree.ElementTree as E
space = '{http://graphml.graphdrawing.org/xmlns}'
root = E.parse(sys.argv[1]).getroot()
keys = {k.get('id'): (k.get('for'), k.get('attr.name')) for k in root.iter(space + 'key')}
nodes = {n.get('id'): n for n in root.iter(space + 'node')}
for n in list(nodes.values()) + list(root.iter(space + 'edge')):
    for d in n.iter(space + 'data'):
        assert keys[d.get('key')][0] == n.tag[len(space):]
for e in root.iter(space + 'edge'):
    assert e.get('source') in nodes and e.get('target') in nodes
try:
    import networkx
    g = networkx.read_graphml(sys.argv[1])
    assert set(g.nodes) == set(nodes)
    assert g.number_of_edges() == len(list(root.iter(space + 'edge')))
    print('networkx')
except ImportError:
    print('SKIPPED networkx')
for n in nodes.values():
    for d in n.iter(space + 'data'):
        if d.get('key') == 'name':
            print(json.dumps(d.text))
)py");
  const Picture nasty = nasty_picture();
  for (const Picture& p : {nasty, picture_of(unfold(shipped_definition("elman"), {.steps = 3}))}) {
    const TemporaryFile file(".graphml", text_of("graphml", p));
    const Outcome o = run_command("/usr/bin/python3 " + script.path() + " " + file.path());
    INFO(o.output);
    CHECK(o.status == 0);
    if (has(o.output, "SKIPPED")) WARN("networkx is not installed: only an XML parser read it");
    const std::vector<std::string> lines = lines_of(o.output);
    CHECK(lines.size() > 15);
    if (&p == &nasty) continue;
    CHECK((has(o.output, "\"h[3]\"") || has(o.output, R"("a\"b[0]")")));
  }
}

TEST_CASE("tikz: LaTeX sets every view and every name", "[formats][tex]") {
  for (const Picture& p :
       {nasty_picture(), gradient_picture_of(unfold(shipped_definition("elman"), {.steps = 3})),
        picture_of(folded(shipped_definition("grid_convolution")))}) {
    const std::string text = text_of("tikz", p);
    CHECK(has(text, "\\begin{tikzpicture}"));
    int depth = 0;  // braces pair, on every line
    for (const std::string& l : lines_of(text)) {
      if (l.starts_with('%')) continue;
      for (std::size_t i = 0; i < l.size(); ++i) {
        const bool escaped = i > 0 && l[i - 1] == '\\';
        if (!escaped) depth += l[i] == '{' ? 1 : l[i] == '}' ? -1 : 0;
      }
      INFO(l);
      CHECK(depth == 0);
    }
    if (!has_command("pdflatex") || run_command("kpsewhich tikz.sty").status != 0) {
      WARN("LaTeX with TikZ is not installed: SKIPPED setting a picture");
      continue;
    }
    const TemporaryFile picture(".tex", text);
    const TemporaryFile page(".tex",
                             "\\documentclass{article}\n"
                             "\\usepackage[paperwidth=90in,paperheight=90in,margin=1in]{geometry}\n"
                             "\\usepackage{tikz}\n\\usetikzlibrary{arrows.meta}\n"
                             "\\begin{document}\n\\input{" +
                                 picture.path() + "}\n\\end{document}\n");
    const std::string stem = page.path().substr(0, page.path().size() - 4);
    const Outcome o =
        run_command("cd /tmp && pdflatex -interaction=nonstopmode -halt-on-error " + page.path());
    INFO(o.output.substr(o.output.size() > 3000 ? o.output.size() - 3000 : 0));
    CHECK(o.status == 0);
    CHECK(has(o.output, "Output written"));
    for (const char* suffix : {".pdf", ".log", ".aux"}) std::filesystem::remove(stem + suffix);
  }
}
