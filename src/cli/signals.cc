#include "cli/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace cc::cli {
namespace {

// What a signal handler may touch.
std::atomic<int> g_noted{0};
std::atomic<int> g_pipe{-1};
std::atomic<pid_t> g_child{0};

void on_signal(int signal, siginfo_t* info, void*) {
  const int error = errno;
  const bool sent_to_us_alone = info->si_code <= 0;
  if (const pid_t child = g_child; child > 0 && sent_to_us_alone) ::kill(child, signal);
  if (g_noted.exchange(signal) != 0) {
    std::signal(signal, SIG_DFL);
    ::raise(signal);
  }
  const char byte = 0;
  if (::write(g_pipe, &byte, 1) < 0) errno = 0;  // full: it is readable already
  errno = error;
}

}  // namespace

HeldSignals::HeldSignals(std::initializer_list<int> signals) {
  if (::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) pipe_[0] = pipe_[1] = -1;  // noted() still tells
  g_noted = 0;
  g_pipe = pipe_[1];
  struct sigaction ours{};
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_SIGINFO;
  ::sigemptyset(&ours.sa_mask);
  for (const int signal : signals) {
    struct sigaction before{};
    if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    if (::sigaction(signal, &ours, nullptr) == 0) before_.emplace_back(signal, before);
  }
}

HeldSignals::~HeldSignals() {
  for (const auto& [signal, before] : before_)
    ::sigaction(signal, &before, nullptr);
  g_child = 0;
  g_pipe = -1;
  for (const int end : pipe_)
    if (end >= 0) ::close(end);
  if (const int signal = g_noted.exchange(0); signal != 0) ::raise(signal);
}

void HeldSignals::forget() {
  g_noted = 0;
}

int HeldSignals::noted() noexcept {
  return g_noted;
}

void HeldSignals::forward_to(pid_t child) {
  g_child = child;
  if (const int signal = g_noted; child > 0 && signal != 0) ::kill(child, signal);
}

}  // namespace cc::cli
