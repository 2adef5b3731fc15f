// What a training tells: metrics with their times, event files, the picture, the line on a
// terminal.
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "support_cli.h"

using namespace support;

namespace {

const std::string kTrain = "train char_lm --data text.txt --size m=8 --batch 4 --seed 3 --lr 0.01 ";

void make_text(const Folder& f) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += i % 2 == 0 ? "the cat sat\n" : "a dog ran\n";
  spill(f / "text.txt", text);
  spill(f / "other.txt", "the dog sat\na cat ran\n");
}

// ---- an event file, read by its published form alone ----

// CRC-32C bit by bit
std::uint32_t crc_of(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
  }
  return crc ^ 0xFFFFFFFF;
}
std::uint32_t masked(const std::string& bytes) {
  const std::uint32_t crc = crc_of(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8;
}

template <class T>
T number_at(const std::string& bytes, std::size_t at) {
  T value;
  REQUIRE(at + sizeof value <= bytes.size());
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// A field of a message: its number, and its value as bytes or a number.
struct Field {
  std::uint32_t number = 0;
  std::string bytes;
  std::uint64_t value = 0;
};

std::uint64_t varint(const std::string& m, std::size_t& at) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    REQUIRE(at < m.size());
    const auto byte = static_cast<unsigned char>(m[at++]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

std::vector<Field> fields_of(const std::string& message) {
  std::vector<Field> fields;
  for (std::size_t at = 0; at < message.size();) {
    const std::uint64_t key = varint(message, at);
    Field f;
    f.number = static_cast<std::uint32_t>(key >> 3);
    const std::uint64_t kind = key & 7;
    REQUIRE((kind == 0 || kind == 1 || kind == 2 || kind == 5));
    if (kind == 0) {
      f.value = varint(message, at);
    } else {
      const std::size_t size = kind == 1 ? 8 : kind == 5 ? 4 : varint(message, at);
      REQUIRE(at + size <= message.size());
      f.bytes = message.substr(at, size);
      at += size;
    }
    fields.push_back(f);
  }
  return fields;
}

struct Event {
  double time = 0;
  std::int64_t step = 0;
  std::string version;
  bool begins = false;
  std::map<std::string, float> scalars;
};

Event event_of(const std::string& message) {
  Event e;
  for (const Field& f : fields_of(message)) {
    if (f.number == 1) e.time = number_at<double>(f.bytes, 0);
    if (f.number == 2) e.step = static_cast<std::int64_t>(f.value);
    if (f.number == 3) e.version = f.bytes;
    if (f.number == 7) e.begins = fields_of(f.bytes).at(0).value == 1;
    if (f.number != 5) continue;
    for (const Field& value : fields_of(f.bytes)) {
      std::string tag;
      float x = 0;
      for (const Field& part : fields_of(value.bytes)) {
        if (part.number == 1) tag = part.bytes;
        if (part.number == 2) x = number_at<float>(part.bytes, 0);
      }
      e.scalars[tag] = x;
    }
  }
  return e;
}

std::vector<Event> events_in(const std::string& file) {
  std::vector<Event> events;
  for (std::size_t at = 0; at < file.size();) {
    const auto size = number_at<std::uint64_t>(file, at);
    CHECK(number_at<std::uint32_t>(file, at + 8) == masked(file.substr(at, 8)));
    const std::string message = file.substr(at + 12, size);
    REQUIRE(message.size() == size);
    CHECK(number_at<std::uint32_t>(file, at + 12 + size) == masked(message));
    events.push_back(event_of(message));
    at += 16 + size;
  }
  return events;
}

std::vector<std::string> event_files(const Folder& f, const std::string& run) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(f / run))
    if (has(entry.path().filename().string(), "tfevents")) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

TEST_CASE("checksums as published", "[logs]") {
  CHECK(crc_of("123456789") == 0xE3069283);
  CHECK(crc_of(std::string(32, '\0')) == 0x8A9136AA);
}

TEST_CASE("event files hold what metrics.jsonl holds", "[logs]") {
  const Folder f;
  make_text(f);
  REQUIRE(taugrad(f, kTrain +
                         "--epochs 2 --valid other.txt --schedule 'warmup(4)' --tensorboard -o m "
                         "-q --mode 'y=mixed(0.9)'")
              .status == 0);
  REQUIRE(event_files(f, "m").size() == 1);
  const std::vector<Event> events = events_in(slurp(event_files(f, "m")[0]));
  const auto metrics = lines_of(slurp(f / "m/metrics.jsonl"));
  REQUIRE(events.size() == metrics.size() + 1);
  CHECK(events[0].version == "brain.Event:2");
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const Event& e = events[i + 1];
    CHECK(e.step == metrics[i]["update"]);
    CHECK(e.scalars.at("loss") == metrics[i]["loss"].get<float>());
    CHECK(e.scalars.at("gradient norm") == metrics[i]["norm"].get<float>());
    CHECK(e.scalars.at("learning rate") == metrics[i]["lr"].get<float>());
    CHECK(e.scalars.at("mixed/y") == 0.9F);
    CHECK(e.scalars.contains("valid") == metrics[i].contains("valid"));
    if (metrics[i].contains("valid"))
      CHECK(e.scalars.at("valid") == metrics[i]["valid"].get<float>());
    CHECK(e.time >= events[i].time);
    CHECK(e.time > 1.6e9);
  }
  // going on: another file, which says that later steps of before are void
  REQUIRE(taugrad(f, "train --resume m --epochs 3 --tensorboard -q").status == 0);
  REQUIRE(event_files(f, "m").size() == 2);
  std::size_t begun = 0;
  for (const std::string& file : event_files(f, "m")) {
    const std::vector<Event> all = events_in(slurp(file));
    if (all.size() > 1 && all[1].begins) {
      ++begun;
      CHECK(all[1].step == static_cast<std::int64_t>(metrics.size()) + 1);
      CHECK(all.back().step == 30);
    }
  }
  CHECK(begun == 1);
  REQUIRE(taugrad(f, kTrain + "--epochs 1 -o plain -q").status == 0);
  CHECK(event_files(f, "plain").empty());
}

TEST_CASE("metrics tell lr and a time that goes on over runs", "[logs]") {
  const Folder f;
  make_text(f);
  REQUIRE(taugrad(f, kTrain + "--epochs 2 -o m -q").status == 0);
  REQUIRE(taugrad(f, "train --resume m --epochs 4 -q").status == 0);
  const auto lines = lines_of(slurp(f / "m/metrics.jsonl"));
  REQUIRE(lines.size() == 40);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CHECK(lines[i]["lr"] == 0.01);
    if (i > 0) CHECK(lines[i]["time"] >= lines[i - 1]["time"]);
  }
  CHECK(lines.back()["time"] < 600);
}

TEST_CASE("curves.svg is kept current, whatever the number of updates", "[logs]") {
  const Folder f;
  make_text(f);
  REQUIRE(taugrad(f, kTrain + "--epochs 2 --valid other.txt -o m -q").status == 0);
  const std::string first = slurp(f / "m/curves.svg");
  CHECK(first.starts_with("<svg "));
  CHECK(first.ends_with("</svg>\n"));
  CHECK(has(first, "bits per char over the updates"));
  CHECK(has(first, "class=\"valid\" points"));
  // both halves are there after going on
  REQUIRE(taugrad(f, "train --resume m --epochs 4 -q").status == 0);
  const std::string second = slurp(f / "m/curves.svg");
  const auto points = [](const std::string& svg) {
    const std::size_t from = svg.find("class=\"loss\" points=\"");
    return std::count(svg.begin() + static_cast<std::ptrdiff_t>(from),
                      svg.begin() + static_cast<std::ptrdiff_t>(svg.find("/>", from)), ',');
  };
  CHECK(points(first) == 20);
  CHECK(points(second) == 40);
  // of many updates a point is a mean of some
  REQUIRE(taugrad(f, kTrain + "--epochs 100 --batch 1 -o many -q").status == 0);
  CHECK(points(slurp(f / "many/curves.svg")) <= 800);
  CHECK(points(slurp(f / "many/curves.svg")) >= 400);
  // no place for it is no reason to stop
  fs::remove(f.path / "m/curves.svg");
  fs::create_directory(f.path / "m/curves.svg");
  CHECK(taugrad(f, "train --resume m --epochs 5 -q").status == 0);
}

TEST_CASE("one line on a terminal that is rewritten, plain lines elsewhere", "[logs]") {
  const Folder f;
  make_text(f);
  const std::string command = "'" TAUGRAD_EXECUTABLE "' " + kTrain +
                              "--valid other.txt --seconds 2 "
                              "--epochs 100000 -o ";
  CHECK_FALSE(has(run_in(f, command + "plain").err, "\r"));
  spill(f / "go.sh", command + "m\n");
  const Outcome o = run_in(f, "script -qec 'sh go.sh' typescript </dev/null");
  if (o.status == 127) {
    WARN("skipped: there is no `script` here");
    return;
  }
  const std::string shown = slurp(f / "typescript");
  INFO(shown);
  CHECK(has(shown, "\rupdate "));
  for (const char* part : {"bits/char", "(valid ", "chars/s", " left", "MiB"})
    CHECK(has(shown, part));
}
