#include "deploy/connection.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

constexpr int kStatusOfSsh = 255;  // its own, and not the command's

// A folder becomes a .tar of what is in it.
Result<std::string> content_of(const Path& from, const Deadline& until) {
  std::error_code error;
  if (!std::filesystem::is_directory(from, error)) return read_file(from);
  TRY(Finished packed, run_process({"tar", "-C", from.string(), "-cf", "-", "."}, "", until));
  if (packed.good()) return std::move(packed.output);
  return fail(Code::unavailable, fmt::format("{} cannot be packed: {}", from.string(), trim(packed.errors)));
}

Result<> put_with(std::vector<std::string> program, const Path& from, const std::string& to, const Deadline& until) {
  TRY(const std::string content, content_of(from, until));
  program.push_back(fmt::format("cat >{0}.part && mv {0}.part {0}", shell_word(to)));
  TRY(const Finished finished, run_process(program, content, until));
  if (finished.good()) return {};
  return fail(Code::unavailable, fmt::format("{} cannot be put to {}: {}", from.string(), to, trim(finished.errors)));
}

// The output goes to the file by a shell of ours: it may be larger than memory.
Result<> get_with(const std::vector<std::string>& program, const std::string& from, const Path& to,
                  const Deadline& until) {
  std::vector<std::string> arguments{
      "sh", "-c", "umask 077; to=$1; shift; \"$@\" >\"$to.part\" && mv \"$to.part\" \"$to\"", "sh", to.string()};
  arguments.insert(arguments.end(), program.begin(), program.end());
  arguments.insert(arguments.end(), {"sh", "-s"});
  TRY(const Finished finished, run_process(arguments, as_root("cat " + shell_word(from)), until));
  if (finished.good()) return {};
  return fail(Code::unavailable, fmt::format("{} cannot be fetched: {}", from, trim(finished.errors)));
}

class Local final : public Connection {
 public:
  Result<Finished> run(std::string_view script, const Deadline& until) override {
    return run_process({"sh", "-s"}, script, until);
  }
  Result<> put(const Path& from, const std::string& to, const Deadline& until) override {
    return put_with({"sh", "-c"}, from, to, until);
  }
  Result<> get(const std::string& from, const Path& to, const Deadline& until) override {
    return get_with({}, from, to, until);
  }
};

// What ssh says, and what to do about it.
std::string advice_on(std::string_view said) {
  if (said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED"))
    return "its key is not the one that is known: find out why, then remove the old one with ssh-keygen -R";
  if (said.contains("Host key verification failed"))
    return "its key is not known: look at it with ssh-keyscan, and add it to ~/.ssh/known_hosts";
  if (said.contains("Permission denied"))
    return "no key of yours opens it: load one into the agent, or name it under ssh.key";
  return "look at its address, and try ssh yourself";
}

class BySsh final : public Connection {
 public:
  // `arguments`: of ssh, up to the command.
  BySsh(std::string name, std::vector<std::string> arguments)
      : name_(std::move(name)), arguments_(std::move(arguments)) {}

  Result<> put(const Path& from, const std::string& to, const Deadline& until) override {
    return put_with(arguments_, from, to, until);
  }

  Result<> get(const std::string& from, const Path& to, const Deadline& until) override {
    return get_with(arguments_, from, to, until);
  }

  Result<Finished> run(std::string_view script, const Deadline& until) override {
    std::vector<std::string> arguments = arguments_;
    arguments.emplace_back("sh -s");
    TRY(Finished finished, run_process(arguments, script, until));
    if (finished.status != kStatusOfSsh) return finished;
    const std::string_view said = trim(finished.errors);
    return fail(Code::unavailable,
                fmt::format("{} cannot be reached: {} ({})", name_, advice_on(said),
                            said.substr(said.rfind('\n') == std::string_view::npos ? 0 : said.rfind('\n') + 1)));
  }

 private:
  std::string name_;
  std::vector<std::string> arguments_;
};

// Ours alone: who can write there could talk to the hosts as us. Empty: there is none, and it goes without.
Path folder_of_connections() {
  std::error_code error;
  const Path folder = std::filesystem::temp_directory_path(error) / fmt::format("config-center-ssh-{}", ::getuid());
  struct stat found{};
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return {};
  const bool ours = ::lstat(folder.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::getuid() &&
                    (found.st_mode & 0077) == 0;
  return ours ? folder : Path();
}

std::string target_of(const Host& host) {
  return host.ssh.user.empty() ? host.address : fmt::format("{}@{}", host.ssh.user, host.address);
}

}  // namespace

std::vector<std::string> ssh_arguments(const Topology& topology, const Host& host) {
  std::vector<std::string> arguments{"ssh",
                                     "-o",
                                     "BatchMode=yes",
                                     "-o",
                                     "StrictHostKeyChecking=yes",
                                     "-o",
                                     "ConnectTimeout=10",
                                     "-o",
                                     "ServerAliveInterval=5",
                                     "-o",
                                     "ServerAliveCountMax=3"};
  // One connection for all that is asked of a host, until a minute after the last.
  if (const Path shared = folder_of_connections(); !shared.empty()) {
    arguments.insert(arguments.end(), {"-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o",
                                       fmt::format("ControlPath={}/%C", shared.string())});
  }
  if (host.ssh.port != 0) arguments.insert(arguments.end(), {"-p", std::to_string(host.ssh.port)});
  if (!host.ssh.key.empty()) arguments.insert(arguments.end(), {"-i", host.ssh.key});
  if (!host.ssh.jump.empty()) {
    const Host* jump = topology.find_host(host.ssh.jump);
    arguments.insert(arguments.end(), {"-J", jump != nullptr ? target_of(*jump) : host.ssh.jump});
  }
  arguments.insert(arguments.end(), {"--", target_of(host)});
  return arguments;
}

std::unique_ptr<Connection> connect(const Topology& topology, const Host& host) {
  if (host.local) return std::make_unique<Local>();
  return std::make_unique<BySsh>(host.name, ssh_arguments(topology, host));
}

}  // namespace cc::deploy
