#pragma once

#include "exec/machine.h"
#include "exec/worker.h"

namespace taugrad::exec {

/// How steps run, one function for each form. A worker does its share of the step: its rows, its
/// panels, or all.
template <class S>
struct Kernels {
  static void run(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);

 private:
  static void forward(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void pack(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void rows(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void find_rows(const Step<S>& step, Machine<S>& machine, Worker<S>& worker,
                        typename Ready<S>::Step& known);
  static void each(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void taps(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void add(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void region(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static typename Ready<S>::Step find_streams(const Step<S>& step, Machine<S>& machine,
                                              Worker<S>& worker);
  // sums over items, which add to what their place holds where the step says so
  static void outer_sum(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void scatter_rows(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
  static void sum_items(const Step<S>& step, Machine<S>& machine, Worker<S>& worker);
};

}  // namespace taugrad::exec
