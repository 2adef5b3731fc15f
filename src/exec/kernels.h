#pragma once

#include "exec/machine.h"
#include "exec/worker.h"

namespace taugrad {
struct ItemFault;
}

namespace taugrad::exec {

/// How steps run, one function for each form. A worker does its share of the step: its rows, its
/// panels, or all.
template <class S>
struct Kernels {
  static void run(std::size_t number, Machine<S>& machine, Worker<S>& worker);

 private:
  using Known = typename Ready<S>::Step;

  static Known find(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static Known find_products(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static Known find_tiles(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static Known find_calls(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static Known find_terms(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static Known find_segments(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);

  static void fetch(std::size_t number, const Machine<S>& machine, const Worker<S>& worker);
  static void products(const Known& known, Machine<S>& machine, Worker<S>& worker);
  static void tiles(const Known& known, Machine<S>& machine, Worker<S>& worker);
  static void calls(const Step<S>& step, const Known& known, Machine<S>& machine,
                    Worker<S>& worker);
  [[noreturn]] static void retell(const ItemFault& why, const Step<S>& step,
                                  const typename Ready<S>::Rows& rows, const Machine<S>& machine);
  // sums over steps, and over items, which add to what their place holds where the step says so
  static void sum(const Step<S>& step, const Known& known, Machine<S>& machine, Worker<S>& worker);

  static void other(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void pack(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void each(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void taps(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void add(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void region(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
};

}  // namespace taugrad::exec
