#pragma once

#include <string>

#include "json/json_writer.h"
#include "taugrad/train/evaluate.h"

namespace taugrad::cli {

/// An evaluation as a table for people and as JSON.
class EvaluationText {
 public:
  struct Options {
    bool per_item = false;
    std::string unit = {};  ///< of a text, what its targets are: "char", "byte", "word"
  };
  EvaluationText(const Evaluation& e, const Options& options) : e_(e), options_(options) {}

  /// Adds the divergence, step by step, from an evaluation of the same data with everything
  /// observed, which must outlive this.
  void compare_with(const Evaluation& forced) { forced_ = &forced; }

  std::string table() const;
  std::string json() const;  ///< one object, and a line end

 private:
  std::string summary() const;
  std::string items() const;
  std::string divergence() const;
  void write_variables(json::Writer& w) const;
  void write_items(json::Writer& w) const;
  void write_divergence(json::Writer& w) const;

  const Evaluation& e_;
  Options options_;
  const Evaluation* forced_ = nullptr;
};

}  // namespace taugrad::cli
