#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace taugrad {

/// A folder that appears whole or not at all: filled under another name beside its place, every
/// file and the folder brought to the disk, then renamed. Without commit() nothing remains.
class OutputFolder {
 public:
  struct File {
    std::string name;
    std::uint64_t bytes = 0;
    std::string digest;  ///< as of base/digest.h
  };

  /// @param mark  in its name until then  @throws Error, Status::io (I002)
  OutputFolder(std::string parent, std::string_view mark);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  /// Writes a file that is not in it yet, from pieces that follow one another. @throws Error (I002)
  void add(const std::string& name, std::span<const std::string_view> pieces);
  void add(const std::string& name, std::string_view text) { add(name, {&text, 1}); }
  const std::vector<File>& files() const { return files_; }
  /// Gives it its name, or `name`-2, -3, .. where that is taken: nothing that is there is touched.
  /// Returns the name. @throws Error (I002)
  std::string commit(const std::string& name);

 private:
  std::string parent_, temporary_;
  std::vector<File> files_;
  std::uint64_t bytes_ = 0;
};

/// Removes a folder and the files in it that are named, by way of a temporary name: it is there
/// whole or not at all. Left as it is where it holds anything else. Returns whether it is gone.
bool remove_folder(const std::string& parent, const std::string& name,
                   std::span<const std::string> files, std::string_view mark);
/// Removes what writers that died have left in a folder under temporary names with this mark. Call
/// it only where none is at work. Returns how many.
int remove_left_behind(const std::string& folder, std::string_view mark);

}  // namespace taugrad
