#include "base/system/files.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "taugrad/base/error.h"

using namespace taugrad;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "taugrad-files-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

template <class F>
std::string failure(F f) {
  try {
    f();
  } catch (const Error& e) {
    const Diagnostic& d = e.diagnostics().front();
    CHECK((e.status() == Status::io || d.code == "R002"));
    return d.code + " " + d.message;
  }
  return "no error";
}

}  // namespace

TEST_CASE("files: what is written is what is read, and nothing else stays", "[files]") {
  const Folder dir;
  std::string data(3 << 20, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7);
  write_file(dir / "a", data);
  CHECK(read_file(dir / "a", 1 << 30) == data);
  write_file(dir / "a", "short");
  CHECK(read_file(dir / "a", 1 << 30) == "short");
  write_file(dir / "empty", "");
  CHECK(read_file(dir / "empty", 10).empty());
  CHECK(dir.files() == 2);
}

TEST_CASE("files: a file that cannot be read says why", "[files]") {
  const Folder dir;
  write_file(dir / "big", std::string(100, 'x'));
  ::mkfifo((dir / "pipe").c_str(), 0600);
  CHECK_THAT(failure([&] { read_file(dir / "none", 10); }),
             Catch::StartsWith("I001") && Catch::Contains("no such file"));
  CHECK_THAT(failure([&] { read_file(dir.path.string(), 10); }),
             Catch::StartsWith("I003") && Catch::Contains("a folder"));
  CHECK_THAT(failure([&] { read_file(dir / "pipe", 10); }),
             Catch::StartsWith("I003") && Catch::Contains("a pipe"));
  CHECK_THAT(failure([&] { read_file("/dev/zero", 10); }),
             Catch::StartsWith("I003") && Catch::Contains("a device"));
  CHECK_THAT(failure([&] { read_file(dir / "big", 10); }),
             Catch::StartsWith("R002") && Catch::Contains("100 bytes"));
  const InputFile shrunk(dir / "big");
  REQUIRE(::truncate((dir / "big").c_str(), 50) == 0);
  std::vector<std::byte> bytes(100);
  CHECK_THAT(failure([&] { shrunk.read(0, bytes); }),
             Catch::StartsWith("I001") && Catch::Contains("became shorter"));
  if (::geteuid() != 0) {
    ::chmod((dir / "big").c_str(), 0);
    CHECK_THAT(failure([&] { read_file(dir / "big", 1000); }),
               Catch::StartsWith("I001") && Catch::Contains("permission"));
  }
}

TEST_CASE("files: a write that fails leaves the old file and nothing new", "[files]") {
  const Folder dir;
  write_file(dir / "a", "old");
  CHECK_THAT(failure([&] { write_file(dir / "no/such/folder", "x"); }),
             Catch::StartsWith("I002") && Catch::Contains("no such file or folder"));
  CHECK_THAT(failure([&] { write_file(dir.path.string(), "x"); }), Catch::StartsWith("I003"));
  CHECK_THAT(failure([&] { write_file("/dev/full", "x"); }),
             Catch::StartsWith("I002") && Catch::Contains("the disk is full"));

  struct rlimit before {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit small { 4096, before.rlim_max };
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = failure([&] { write_file(dir / "a", std::string(10000, 'n')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK_THAT(message, Catch::StartsWith("I002") && Catch::Contains("over the limit on file sizes"));
  CHECK(read_file(dir / "a", 100) == "old");
  CHECK(dir.files() == 1);

  {
    OutputFile abandoned(dir / "b");
    abandoned.write("half");
  }
  CHECK(dir.files() == 1);
}

TEST_CASE("files: links are followed, modes kept, devices written directly", "[files]") {
  const Folder dir;
  write_file(dir / "real", "1");
  ::chmod((dir / "real").c_str(), 0640);
  fs::create_symlink("real", dir / "link");
  write_file(dir / "link", "2");
  CHECK(fs::is_symlink(dir / "link"));
  CHECK(read_file(dir / "real", 10) == "2");
  struct stat s {};
  ::stat((dir / "real").c_str(), &s);
  CHECK((s.st_mode & 07777) == 0640);
  write_file("/dev/null", "gone");
  CHECK(fs::is_character_file("/dev/null"));
}
