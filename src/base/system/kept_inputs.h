#pragma once

#include <string>

namespace taugrad {

/// While one lives, no file that is read may be written: a program that reads and writes files by
/// names of its user's cannot destroy its own input, by whatever name, link or mount it is reached.
/// A library's user decides himself: without one, nothing is remembered and nothing refused.
class KeptInputs {
 public:
  KeptInputs();
  ~KeptInputs();
  KeptInputs(const KeptInputs&) = delete;
  KeptInputs& operator=(const KeptInputs&) = delete;
};

/// While one lives, what this thread reads may be written again: a folder brought up to date.
class UpdatesInPlace {
 public:
  UpdatesInPlace();
  ~UpdatesInPlace();
  UpdatesInPlace(const UpdatesInPlace&) = delete;
  UpdatesInPlace& operator=(const UpdatesInPlace&) = delete;
};

/// An output's name is known, "-" and "" being none: it is compared with what is read from now on,
/// so that nothing is computed in vain. @throws Error (U004) where it has been read
void announce_output(const std::string& path);
/// A file has been opened for reading ("-": standard input), or belongs to what has been.
/// @throws Error (U004) where an announced output is the same file
void keep_input(const std::string& path);
/// A file is about to be written. @throws Error (U004) where it is an input
void refuse_input(const std::string& output);
/// A folder is about to be emptied and filled anew. @throws Error (U004) where it is an input or
/// holds one, under any name
void refuse_inputs_in(const std::string& folder);

}  // namespace taugrad
