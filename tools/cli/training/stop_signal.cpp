#include "training/stop_signal.h"

#include <unistd.h>

#include <csignal>

namespace taugrad::cli {
namespace {

volatile std::sig_atomic_t asked = 0;

void ask(int signal) {
  if (asked != 0) ::_exit(128 + signal);
  asked = signal;
}

}  // namespace

void stop_softly_on_signals() {
  struct sigaction action = {};
  action.sa_handler = ask;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction before = {};
  sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);  // nohup
}

int stop_signal() { return asked; }

}  // namespace taugrad::cli
