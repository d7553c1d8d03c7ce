#include "cli/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>
#include <termios.h>

#include "base/file.h"
#include "base/table.h"
#include "cli/signals.h"

namespace cc::cli {
namespace {

constexpr std::string_view kReaderGone = R"({"reader_gone":true})";
constexpr std::chrono::seconds kBetweenLines{5};

// The terminal of the process, whatever its standard streams are; silent while `secret`.
class ControllingTerminal {
 public:
  ControllingTerminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {}
  ~ControllingTerminal() {
    if (silent_) {
      ::tcsetattr(fd_, TCSADRAIN, &before_);
      print("\n");
    }
    if (fd_ >= 0) ::close(fd_);
  }
  ControllingTerminal(const ControllingTerminal&) = delete;
  ControllingTerminal& operator=(const ControllingTerminal&) = delete;

  bool is_open() const { return fd_ >= 0; }
  void print(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(fd_, text.data(), text.size());
      if (written <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void silence() {
    if (::tcgetattr(fd_, &before_) != 0) return;
    termios now = before_;
    now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent_ = ::tcsetattr(fd_, TCSADRAIN, &now) == 0;
  }
  // Nothing at the end of input, or when a signal came.
  std::optional<std::string> line(const HeldSignals& signals) const {
    std::string out;
    for (char c = 0;;) {
      std::array<pollfd, 2> either{pollfd{.fd = fd_, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = signals.readable_when_noted(), .events = POLLIN, .revents = 0}};
      if (::poll(either.data(), either.size(), -1) < 0 && errno != EINTR) return std::nullopt;
      if (HeldSignals::noted() != 0) return std::nullopt;
      if (either[0].revents == 0) continue;
      if (::read(fd_, &c, 1) != 1) return std::nullopt;
      if (c == '\n') return out;
      out.push_back(c);
    }
  }

 private:
  int fd_;
  bool silent_ = false;
  termios before_{};
};

}  // namespace

void hold_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The wrong way round: using it fails, as it does while it is closed.
    const int held = ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (held >= 0 && held != fd) ::close(held);
  }
}

bool input_is_terminal() {
  return ::isatty(STDIN_FILENO) == 1;
}

bool output_is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

bool errors_are_terminal() {
  return ::isatty(STDERR_FILENO) == 1;
}

bool has_colour() {
  const char* no = std::getenv("NO_COLOR");
  return output_is_terminal() && (no == nullptr || *no == '\0');
}

Result<std::string> ask(std::string_view question, bool secret) {
  for (;;) {
    bool was_stopped = false;
    {
      // Goes after the terminal: what was noted takes its course when echo is on again.
      const HeldSignals signals({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP});
      ControllingTerminal terminal;
      if (!terminal.is_open()) return fail(Code::unavailable, "there is no terminal to ask at");
      if (secret) terminal.silence();  // first: who types as soon as the question is there must not be echoed
      terminal.print(question);
      if (auto line = terminal.line(signals)) return *std::move(line);
      was_stopped = HeldSignals::noted() == SIGTSTP;
    }
    if (!was_stopped) return fail(Code::unavailable, "nothing was entered");
  }
}

Result<std::string> read_input() {
  std::string out;
  std::array<char, 64 * 1024> piece;
  for (;;) {
    const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return fail(Code::internal, "standard input: " + std::system_category().message(errno));
    }
    if (count == 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(count));
  }
}

Result<std::string> read_file_or_input(const std::string& name) {
  return name == "-" ? read_input() : read_file(name);
}

Result<> write_output(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {  // others may have made what we share with them non-blocking
      pollfd writable{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      ::poll(&writable, 1, -1);
      continue;
    }
    if (count < 0) {
      return fail(Code::internal, "standard output: " + std::system_category().message(errno),
                  errno == EPIPE ? std::string(kReaderGone) : "");
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

bool reader_is_gone(const Error& error) {
  return error.details == kReaderGone;
}

Result<> write_file_or_output(const std::string& name, std::string_view content, unsigned mode) {
  return name == "-" ? write_output(content) : write_named_file(name, content, mode);
}

std::string for_output(std::string content) {
  return output_is_terminal() ? visible_lines(content) : std::move(content);
}

Progress::Progress(std::string label, std::uint64_t total)
    : label_(std::move(label)), total_(total), drawn_(std::chrono::steady_clock::now()), bar_(errors_are_terminal()) {
  if (bar_ && total_ > 0) draw();
}

Progress::~Progress() {
  if (bar_ && total_ > 0) fmt::print(stderr, "\r\033[K");
}

void Progress::advance(std::uint64_t by) {
  done_ = std::min(done_ + by, total_);
  const auto now = std::chrono::steady_clock::now();
  const bool soon =
      bar_ ? done_ < total_ && now - drawn_ < std::chrono::milliseconds(50) : now - drawn_ < kBetweenLines;
  if (soon) return;
  drawn_ = now;
  draw();
}

void Progress::draw() {
  if (!bar_) return fmt::print(stderr, "{} {}/{}\n", label_, done_, total_);
  constexpr std::uint64_t kWidth = 30;
  const std::uint64_t filled = done_ * kWidth / total_;
  std::string bar;
  for (std::uint64_t i = 0; i < kWidth; ++i)
    bar += i < filled ? "█" : "░";
  fmt::print(stderr, "\r\033[K{} {} {}/{}", label_, bar, done_, total_);
}

Waiting::Waiting(std::string label) : label_(std::move(label)), line_(errors_are_terminal()) {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    const std::chrono::seconds each = line_ ? std::chrono::seconds(1) : kBetweenLines;
    std::unique_lock lock(mutex_);
    for (std::chrono::seconds elapsed{0};; elapsed += each) {
      if (line_ || elapsed.count() > 0) tell(elapsed);
      ended_.wait_for(lock, stop, each, [] { return false; });
      if (stop.stop_requested()) return;
    }
  });
}

Waiting::~Waiting() {
  thread_.request_stop();
  thread_.join();
  if (line_) fmt::print(stderr, "\r\033[K");
}

void Waiting::tell(std::chrono::seconds elapsed) const {
  fmt::print(stderr, "{}{} … {} s{}", line_ ? "\r\033[K" : "", label_, elapsed.count(), line_ ? "" : "\n");
}

}  // namespace cc::cli
