#include "deploy/lock.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "base/text.h"
#include "deploy/script.h"
#include "deploy/step.h"

namespace cc::deploy {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30s;

std::string who() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const char* user = std::getenv("USER");
  return fmt::format("{}@{} (process {})", user != nullptr ? user : "somebody", host.data(), ::getpid());
}

std::string folder() {
  return std::string(kKept) + "/lock";
}

Result<std::string> run(Connection& connection, const std::string& script, const Deadline& until) {
  TRY(const Finished finished, connection.run(as_root(script), until));
  if (!finished.good())
    return fail(Code::unavailable,
                "the lock of the installation cannot be seen: " + std::string(trim(finished.errors)));
  return std::string(trim(finished.output));
}

}  // namespace

const Host& host_of_lock(const Topology& topology) {
  return topology.host(topology.app.hosts.front());
}

Result<Lock> Lock::take(Connection& connection, const std::string& operation, const Clock& clock) {
  const std::string words = fmt::format("{}, {}, since {}", operation, who(), format_time(clock.wall()));
  TRY(const std::string held,
      run(connection,
          fmt::format("install -d -m 0700 {}\n"
                      "if mkdir {lock} 2>/dev/null; then echo {words} >{lock}/holder\n"
                      "else cat {lock}/holder 2>/dev/null || echo 'somebody who has just begun'; fi\n",
                      kKept, fmt::arg("lock", folder()), fmt::arg("words", shell_word(words))),
          {clock, clock.now() + kPatience}));
  if (held.empty()) return Lock(connection, clock, words);
  return fail(Code::conflict,
              fmt::format("another operation is going on: {}. Wait for it, or, when it is no more, run: config-center "
                          "deployment unlock",
                          held));
}

Lock::~Lock() {
  if (connection_ == nullptr) return;
  // Somebody may have broken it, and another one hold it now. A host that is not reached keeps it: the next one is told
  // how to break it.
  const std::string script = fmt::format("if [ \"$(cat {0}/holder 2>/dev/null)\" = {1} ]; then rm -rf {0}; fi\n",
                                         folder(), shell_word(words_));
  if (!run(*connection_, script, {*clock_, clock_->now() + kPatience})) return;
}

Result<std::string> holder(Connection& connection, const Deadline& until) {
  return run(connection, fmt::format("cat {}/holder 2>/dev/null || true\n", folder()), until);
}

Result<> break_lock(Connection& connection, const Deadline& until) {
  TRYV(run(connection, fmt::format("rm -rf {}\n", folder()), until));
  return {};
}

}  // namespace cc::deploy
