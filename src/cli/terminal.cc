#include "cli/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include <fmt/format.h>
#include <termios.h>

#include "base/file.h"
#include "base/table.h"

namespace cc::cli {
namespace {

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
  std::optional<std::string> line() const {
    std::string out;
    for (char c = 0;;) {
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
  ControllingTerminal terminal;
  if (!terminal.is_open()) return fail(Code::unavailable, "there is no terminal to ask at");
  if (secret) terminal.silence();  // first: who types as soon as the question is there must not be echoed
  terminal.print(question);
  auto line = terminal.line();
  if (!line) return fail(Code::unavailable, "nothing was entered");
  return *std::move(line);
}

Result<std::string> read_input() {
  std::string out;
  std::array<char, 64 * 1024> piece;
  for (;;) {
    const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (count < 0) return fail(Code::internal, "standard input could not be read");
    if (count == 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(count));
  }
}

Result<std::string> read_file_or_input(const std::string& name) {
  return name == "-" ? read_input() : read_file(name);
}

void write_output(std::string_view bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  std::fflush(stdout);
}

Progress::Progress(std::string label, std::uint64_t total)
    : label_(std::move(label)), total_(total), shown_(errors_are_terminal() && total > 0) {
  if (shown_) draw();
}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

void Progress::advance(std::uint64_t by) {
  done_ = std::min(done_ + by, total_);
  if (!shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (done_ < total_ && now - drawn_ < std::chrono::milliseconds(50)) return;
  drawn_ = now;
  draw();
}

void Progress::draw() {
  constexpr std::uint64_t kWidth = 30;
  const std::uint64_t filled = done_ * kWidth / total_;
  std::string bar;
  for (std::uint64_t i = 0; i < kWidth; ++i)
    bar += i < filled ? "█" : "░";
  fmt::print(stderr, "\r\033[K{} {} {}/{}", label_, bar, done_, total_);
  std::fflush(stderr);
}

}  // namespace cc::cli
