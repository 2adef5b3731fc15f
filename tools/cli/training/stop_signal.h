#pragma once

namespace taugrad::cli {

/// From now on the first of SIGINT, SIGTERM and SIGHUP only asks for an end, so that a save can
/// come before it; the second ends the program at once, with the status of the signal.
void stop_softly_on_signals();
/// The signal that asked; 0: none.
int stop_signal();

}  // namespace taugrad::cli
