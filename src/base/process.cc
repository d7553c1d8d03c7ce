#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <spawn.h>

#include "base/exec_words.h"

namespace cc {
namespace {

constexpr std::chrono::milliseconds kLook{200};  // whether the deadline was called off

// One end of a pipe.
class End {
 public:
  End() = default;
  explicit End(int fd) : fd_(fd) {}
  End(End&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  End& operator=(End&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~End() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Pipe {
  End read, write;
  static Result<Pipe> make() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      return fail(Code::exhausted, fmt::format("make a pipe: {}", std::system_category().message(errno)));
    return Pipe{.read = End(ends[0]), .write = End(ends[1])};
  }
  // Sockets: a program that does not read is no signal for who writes.
  static Result<Pipe> make_for_input() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
      return fail(Code::exhausted, fmt::format("make a pipe: {}", std::system_category().message(errno)));
    return Pipe{.read = End(ends[0]), .write = End(ends[1])};
  }
};

void never_wait(const End& end) {
  ::fcntl(end.fd(), F_SETFL, ::fcntl(end.fd(), F_GETFL) | O_NONBLOCK);
}

// What is there now; closes the end when nothing more will come.
void take(End& from, std::string& into) {
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(from.fd(), buffer.data(), buffer.size());
    if (count > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else {
      if (count == 0 || errno != EAGAIN) from.close();
      return;
    }
  }
}

// As much as fits; closes the end when all is sent, or nobody reads.
void give(End& to, std::string_view& input) {
  while (!input.empty()) {
    const ssize_t count = ::send(to.fd(), input.data(), input.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) break;
    input.remove_prefix(static_cast<std::size_t>(count));
  }
  to.close();
}

// "NAME=VALUE", as a program gets them.
std::vector<std::string> environment_with(const ProcessVariables& variables) {
  std::vector<std::string> out;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view word = *each;
    if (!variables.contains(std::string(word.substr(0, word.find('='))))) out.emplace_back(word);
  }
  for (const auto& [name, value] : variables)
    out.push_back(fmt::format("{}={}", name, value));
  return out;
}

Result<pid_t> start(const std::vector<std::string>& arguments, const ProcessVariables& variables, const Pipe& in,
                    const Pipe& out, const Pipe& err) {
  std::vector<std::string> words = arguments;
  const std::vector<char*> pointers = pointers_to(words);
  std::vector<std::string> environment = environment_with(variables);
  const std::vector<char*> environment_pointers = pointers_to(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read.fd(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write.fd(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write.fd(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A group of its own, so that all of it can be ended; and signals as a program expects them.
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, pointers.front(), &actions, &attributes, pointers.data(), environment_pointers.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return fail(error == ENOENT ? Code::not_found : Code::internal,
                fmt::format("run {}: {}", arguments.front(), std::system_category().message(error)));
  }
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<Finished> run_process(const std::vector<std::string>& arguments, std::string_view input, const Deadline& until,
                             const ProcessVariables& variables) {
  TRY(Pipe in, Pipe::make_for_input());
  TRY(Pipe out, Pipe::make());
  TRY(Pipe err, Pipe::make());
  TRY(const pid_t child, start(arguments, variables, in, out, err));
  in.read.close();
  out.write.close();
  err.write.close();
  never_wait(in.write);
  never_wait(out.read);
  never_wait(err.read);
  Finished finished;
  give(in.write, input);
  while (out.read.open() || err.read.open()) {
    if (until.passed()) {
      ::kill(-child, SIGKILL);
      wait_for(child);
      return fail(Code::timeout, fmt::format("{} was not done in time and was ended", arguments.front()));
    }
    // What is closed is -1, which poll passes over.
    std::array<pollfd, 3> ends{{{.fd = out.read.fd(), .events = POLLIN, .revents = 0},
                                {.fd = err.read.fd(), .events = POLLIN, .revents = 0},
                                {.fd = in.write.fd(), .events = POLLOUT, .revents = 0}}};
    ::poll(ends.data(), ends.size(), static_cast<int>(std::min(kLook, until.left()).count()));
    if (ends[0].revents != 0) take(out.read, finished.output);
    if (ends[1].revents != 0) take(err.read, finished.errors);
    if (ends[2].revents != 0) give(in.write, input);
  }
  finished.status = wait_for(child);
  return finished;
}

}  // namespace cc
