// Signals that would end the process while it has something to put right first.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <initializer_list>
#include <utility>
#include <vector>

namespace cc::cli {

// While it lives, the signals end nothing; they are noted. A second one ends the process at once. When it goes, what
// was noted takes its course. What the process ignores (nohup) stays ignored. One at a time; not thread-safe.
class HeldSignals {
 public:
  explicit HeldSignals(std::initializer_list<int> signals = {SIGINT, SIGTERM, SIGHUP});
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // The signal that came, or 0. Any thread, also when no signals are held.
  static int noted() noexcept;
  int readable_when_noted() const { return pipe_[0]; }  // a file descriptor
  void forget();                                        // what was noted: it was meant for what has ended now
  // Sends what somebody sent to this process alone on to `child` as well; 0: to nobody. A terminal tells both itself.
  void forward_to(pid_t child);

 private:
  int pipe_[2];
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace cc::cli
