#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taugrad {

/// What a schedule by measures has come to: of a training that is validated.
struct PlateauState {
  std::optional<double> best = {};
  std::int64_t waited = 0;  ///< measures since the best
  double factor = 1;
  bool operator==(const PlateauState&) const = default;
};

/// The step size over the updates u = 0 .. total - 1 of a training, as factors on `lr`: one
/// expression of parts whose factors multiply. With p = 0 at the first update after the warm-up and
/// 1 at the last of all:
///   warmup(N)          (u + 1) / N while u < N
///   constant           1
///   linear(F)          1 - (1 - F) p
///   cosine(F)          F + (1 - F) (1 + cos(pi p)) / 2                  (Loshchilov, Hutter 2017)
///   exponential(F)     F^p
///   inverse_sqrt(N)    sqrt(N / (N + u)), u counted from the end of the warm-up
///   step(F, N)         F^k after k times N updates, counted likewise
///   plateau(F, N)      F^k after k times N measures on the validation data without a better one
class LrSchedule {
 public:
  LrSchedule() = default;
  /// "warmup(500) cosine(0.1)"; "": constant.
  /// @throws Error (U002) for an unknown word or a number outside its range
  explicit LrSchedule(std::string_view text);

  /// @param update  from 0  @param total  updates of the training
  double factor(std::int64_t update, std::int64_t total, const PlateauState& plateau = {}) const;
  bool has_plateau() const;
  /// After a measure, smaller is better.
  void measured(double loss, PlateauState& plateau) const;
  const std::string& text() const { return text_; }  ///< as given

 private:
  enum class Kind : std::uint8_t {
    warmup,
    constant,
    linear,
    cosine,
    exponential,
    inverse_sqrt,
    step,
    plateau
  };
  struct Part {
    Kind kind;
    double to = 1;           ///< F
    std::int64_t every = 1;  ///< N
  };
  static Part part_from(std::string_view word, const std::vector<double>& numbers,
                        std::string_view written);
  double factor_of(const Part& p, double progress, std::int64_t update,
                   const PlateauState& plateau) const;
  std::string text_;
  std::vector<Part> parts_;
  std::int64_t warmup_ = 0;
};

}  // namespace taugrad
