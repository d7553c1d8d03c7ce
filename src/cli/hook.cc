#include "cli/hook.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include <fmt/format.h>
#include <spawn.h>

#include "base/exec_words.h"

namespace cc::cli {
namespace {

std::vector<std::string> environment_with(const std::map<std::string, std::string>& variables) {
  std::vector<std::string> out;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string line = *each;
    if (!variables.contains(line.substr(0, line.find('=')))) out.push_back(line);
  }
  for (const auto& [name, value] : variables)
    out.push_back(fmt::format("{}={}", name, value));
  return out;
}

}  // namespace

Result<int> run_hook(const std::string& command, const std::map<std::string, std::string>& variables, const Path& input,
                     HeldSignals& signals) {
  std::vector<std::string> arguments = {"sh", "-c", command};
  std::vector<std::string> environment = environment_with(variables);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, "/bin/sh", &actions, nullptr, pointers_to(arguments).data(),
                                  pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return fail(Code::internal, fmt::format("run \"{}\": {}", command, std::system_category().message(error)));
  }
  signals.forward_to(child);
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(child, &status, 0)) < 0 && errno == EINTR) {
  }
  signals.forward_to(0);
  if (ended < 0) return fail(Code::internal, fmt::format("wait for \"{}\" failed", command));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace cc::cli
