// Every example of the documentation runs as it stands. In pages of docs/ that say
// <!-- the examples on this page are run by the tests -->
//   ```json file=NAME      is written to NAME in a folder of the page's own,
//   ```console             is run there: a line "$ command" and, below it, what a terminal then
//   shows.
//   ![..](pictures/NAME)   shows what the commands above it have written to NAME.
// TAUGRAD_UPDATE_GOLDEN=1 writes what commands show into the pages instead; the diff is for review.
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <vector>

#include "support_cli.h"

namespace fs = std::filesystem;
using support::slurp;

namespace {

/// What a command shows, both streams, without blanks at line ends.
std::string shown_by(const std::string& command, const fs::path& folder) {
  const fs::path tools = fs::path(TAUGRAD_EXECUTABLE).parent_path();
  const std::string line = "cd '" + folder.string() + "' && PATH='" + tools.string() +
                           "':$PATH && export NO_COLOR=1 TAUGRAD_GRAPHS='" + TAUGRAD_SOURCE_DIR +
                           "/graphs' && { " + command + "\n} 2>&1";
  FILE* pipe = ::popen(line.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text, shown;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) < 64));
  std::istringstream lines(text);
  for (std::string l; std::getline(lines, l);)
    shown += l.substr(0, l.find_last_not_of(" \t") + 1) + "\n";
  return shown;
}

/// Runs one page; returns it with what its commands show.
class Page {
 public:
  explicit Page(const fs::path& path) : path_(path) {}

  std::string run() {
    std::istringstream lines(slurp(path_));
    std::string result, fence;
    bool console = false;
    for (std::string line; std::getline(lines, line);) {
      ++number_;
      if (line.starts_with("```")) {
        if (console) flush(result);
        if (!file_.empty()) std::ofstream(folder_.path / file_) << fence;
        const bool opens = !inside_;
        inside_ = opens;
        fence.clear();
        file_ = opens && line.find(" file=") != std::string::npos
                    ? line.substr(line.find(" file=") + 6)
                    : "";
        console = opens && line == "```console";
        result += line + "\n";
      } else if (console && line.starts_with("$ ")) {
        flush(result);
        result += line + "\n";
        command_ = line.substr(2);
        command_line_ = number_;
      } else if (console && !command_.empty() &&
                 (expected_.empty() ? command_.ends_with("\\") : false)) {
        result += line + "\n";  // a command goes on after a backslash
        command_ += "\n" + line;
      } else if (console) {
        expected_ += line + "\n";
      } else {
        fence += line + "\n";
        result += line + "\n";
        if (!inside_) check_picture(line);
      }
    }
    return result;
  }
  int commands() const { return count_; }

 private:
  void flush(std::string& result) {
    if (command_.empty()) return;
    INFO(path_.filename().string() << ":" << command_line_ << ": " << command_);
    const std::string shown = shown_by(command_, folder_.path);
    if (!std::getenv("TAUGRAD_UPDATE_GOLDEN")) CHECK(shown == expected_);
    result += shown;
    command_.clear();
    expected_.clear();
    ++count_;
  }

  void check_picture(const std::string& line) const {
    const std::size_t from = line.find("](pictures/");
    if (!line.starts_with("![") || from == std::string::npos) return;
    const std::string name = line.substr(from + 11, line.find(')', from) - from - 11);
    const fs::path shown = path_.parent_path() / "pictures" / name;
    INFO(path_.filename().string() << ":" << number_ << ": " << name);
    REQUIRE(fs::exists(folder_.path / name));
    if (std::getenv("TAUGRAD_UPDATE_GOLDEN"))
      fs::copy_file(folder_.path / name, shown, fs::copy_options::overwrite_existing);
    else
      CHECK(slurp(shown) == slurp(folder_.path / name));
  }

  fs::path path_;
  const support::Folder folder_;
  std::string file_, command_, expected_;
  bool inside_ = false;
  int number_ = 0, command_line_ = 0, count_ = 0;
};

std::vector<fs::path> pages() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(fs::path(TAUGRAD_SOURCE_DIR) / "docs"))
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("docs: every example shows what the page says", "[docs]") {
  int commands = 0;
  for (const fs::path& path : pages()) {
    if (slurp(path).find("<!-- the examples on this page are run by the tests -->") ==
        std::string::npos)
      continue;
    Page page(path);
    const std::string result = page.run();
    commands += page.commands();
    if (std::getenv("TAUGRAD_UPDATE_GOLDEN")) std::ofstream(path) << result;
  }
  CHECK(commands > 25);
}
