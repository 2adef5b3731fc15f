#pragma once

#include "runtime/runtime.h"
#include "runtime/steps/worker.h"

namespace taugrad {
struct ItemFault;
}

namespace taugrad::runtime {

/// How steps run, one function for each form. A worker does its share of the step: its rows, its
/// panels, or all.
template <class S>
struct Kernels {
  static void run(std::size_t number, Runtime<S>& machine, Worker<S>& worker);
  /// All steps, in their order; after a first run only those that have anything to do.
  static void run_all(Runtime<S>& machine, Worker<S>& worker);
  /// What run_all has listed, and nothing else.
  static void run_listed(Runtime<S>& machine, Worker<S>& worker);
  /// Makes the calls of a short list.
  static void bind(Runtime<S>& machine, Worker<S>& worker);
  /// Lets steps that were listed write what lies in `from` to `to`, which the run only reads, where
  /// all of them have read that by then and none can fail. @return whether they do
  static bool write_over(std::span<const S> from, std::span<S> to, Runtime<S>& machine,
                         Worker<S>& worker);

 private:
  using Known = typename AddressCache<S>::Step;

  static void carry_out(const Known& known, std::size_t number, Runtime<S>& machine,
                        Worker<S>& worker);
  // plans of long sequences: stretches of steps that come again and again
  static void run_told(Runtime<S>& machine, Worker<S>& worker);
  static void find_parts(Runtime<S>& machine, Worker<S>& worker);
  static bool find_single(std::size_t number, Runtime<S>& machine, Worker<S>& worker);
  static bool find_stretch(const plan::Stretches::Piece& piece, Runtime<S>& machine,
                           Worker<S>& worker);
  static void run_part(ToldPart<S>& part, Runtime<S>& machine, Worker<S>& worker);
  static bool goes_on_evenly(std::size_t number, std::size_t length, std::size_t times,
                             const Runtime<S>& machine);
  static void run_once(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static bool by_addresses(const Known& known, Runtime<S>& machine, Worker<S>& worker);
  static void by_step(const Known& known, const Step<S>& step, Runtime<S>& machine,
                      Worker<S>& worker);
  static Known find(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static Known find_products(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static void join_beside(const Known& known, const Runtime<S>& machine, Worker<S>& worker);
  static Known find_tiles(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static Known keep_table(const Step<S>& step, const Runtime<S>& machine, Worker<S>& worker);
  static Known keep_lines(const Step<S>& step, const Runtime<S>& machine, Worker<S>& worker);
  static Known find_rows(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static Known find_calls(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static Known find_terms(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static Known find_segments(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);

  static void fetch(std::size_t number, const Runtime<S>& machine, const Worker<S>& worker);
  static void fetch(const Known& known, std::span<const std::int64_t> distances,
                    const Runtime<S>& machine, const AddressCache<S>& ready);
  static void products(const Known& known, Runtime<S>& machine, Worker<S>& worker);
  static void tile(const Known& known, const Runtime<S>& machine, const Worker<S>& worker);
  static void lines(const Known& known, const Worker<S>& worker);
  static void tiles(const Known& known, Runtime<S>& machine, Worker<S>& worker);
  static void rows(const Known& known, Runtime<S>& machine, Worker<S>& worker);
  static void calls(const Known& known, const Runtime<S>& machine, Worker<S>& worker);
  [[noreturn]] static void retell(const ItemFault& why, const Step<S>& step,
                                  const typename AddressCache<S>::Rows& rows,
                                  const Runtime<S>& machine);
  // sums over steps, and over items, which add to what their place holds where the step says so
  static void sum(const Step<S>& step, const Known& known, Runtime<S>& machine, Worker<S>& worker);

  static void other(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static bool pack(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static void each(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static void taps(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker);
  static void add(const Known& known, Worker<S>& worker);
};

}  // namespace taugrad::runtime
