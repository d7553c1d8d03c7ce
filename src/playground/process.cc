#include "playground/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <grp.h>

#include "base/exec_words.h"
#include "base/file.h"
#include "base/text.h"

namespace cc::playground {
namespace {

// What would make a server another one than its files say.
bool is_kept(std::string_view variable) {
  for (const std::string_view start : {"CONFIG_CENTER_", "CONFIG_PATH=", "DATA_DIR=", "TEMP_DIR=", "APP_ENV=",
                                       "LOG_LEVEL=", "NOTIFY_SOCKET=", "PG", "GF_", "REDIS_"}) {
    if (variable.starts_with(start)) return false;
  }
  return true;
}

std::vector<std::string> environment_of(const Component& component) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each)
    if (is_kept(*each)) all.emplace_back(*each);
  for (const auto& [name, value] : component.environment) {
    const std::string begin = name + "=";
    std::erase_if(all, [&](const std::string& each) { return each.starts_with(begin); });
    all.push_back(begin + value);
  }
  return all;
}

// What the new process needs, made before it is there: in it nothing may be allocated.
struct Prepared {
  const char* folder;
  char* const* arguments;
  char* const* environment;
  const User* user;
  int log, stop_signal;
  pid_t parent;
};

[[noreturn]] void give_up(const char* what) {
  const char* why = ::strerrordesc_np(errno);
  for (const char* text : {what, ": ", why != nullptr ? why : "unknown error", "\n"})
    if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) break;
  ::_exit(127);
}

[[noreturn]] void become(const Prepared& prepared) {
  ::setpgid(0, 0);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(prepared.log, STDOUT_FILENO);
  ::dup2(prepared.log, STDERR_FILENO);
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::umask(0077);
  if (::chdir(prepared.folder) != 0) give_up(prepared.folder);
  if (const User* user = prepared.user; user != nullptr) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(user->group) != 0 || ::setuid(user->id) != 0) give_up("change user");
  }
  // After the change of user, which forgets it.
  ::prctl(PR_SET_PDEATHSIG, prepared.stop_signal);
  if (::getppid() != prepared.parent) ::_exit(127);
  ::execve(prepared.arguments[0], prepared.arguments, prepared.environment);
  give_up(prepared.arguments[0]);
}

void reap(pid_t process) {
  while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// 0: there is no such process any more.
pid_t parent_of(pid_t process) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", process));
  if (!stat) return 0;
  // "PID (NAME) STATE PARENT …", and a name may have anything in it.
  const auto words = split(std::string_view(*stat).substr(stat->rfind(')') + 1), ' ');
  const auto parent = words.size() > 2 ? parse_uint(words[2], "process") : fail(Code::not_found, "");
  return parent ? static_cast<pid_t>(*parent) : 0;
}

}  // namespace

Result<pid_t> start(const Component& component, const Path& log) {
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return fail(Code::internal, fmt::format("open {}: {}", log.string(), std::strerror(errno)));
  std::vector<std::string> arguments = component.arguments, environment = environment_of(component);
  const std::vector<char*> to_arguments = pointers_to(arguments), to_environment = pointers_to(environment);
  const Prepared prepared{.folder = component.folder.c_str(),
                          .arguments = to_arguments.data(),
                          .environment = to_environment.data(),
                          .user = component.user ? &*component.user : nullptr,
                          .log = fd,
                          .stop_signal = component.stop_signal,
                          .parent = ::getpid()};
  const pid_t child = ::fork();
  if (child == 0) become(prepared);
  const int error = errno;
  ::close(fd);
  if (child < 0) return fail(Code::exhausted, fmt::format("start {}: {}", component.name, std::strerror(error)));
  ::setpgid(child, child);
  return child;
}

std::optional<std::string> ended(pid_t process) {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
    return std::nullopt;
  ::kill(-process, SIGKILL);  // before it is reaped: until then its number is nobody else's
  reap(process);
  if (info.si_code == CLD_EXITED) return fmt::format("exit status {}", info.si_status);
  return fmt::format("signal {} ({})", info.si_status, ::strsignal(info.si_status));
}

void kill_now(pid_t process) {
  ::kill(-process, SIGKILL);
  reap(process);
}

void adopt_orphans() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void kill_orphans(const std::vector<pid_t>& ours) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto number = parse_uint(entry.path().filename().string(), "process");
    if (!number) continue;
    const auto process = static_cast<pid_t>(*number);
    if (parent_of(process) != ::getpid() || std::ranges::find(ours, process) != ours.end()) continue;
    ::kill(process, SIGKILL);
    reap(process);
  }
}

}  // namespace cc::playground
