#include "playground/programs.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

namespace cc::playground {
namespace {

const std::array<Program, 11>& all_programs() {
  static const std::array<Program, 11> all{{{"haproxy", "haproxy"},
                                            {"initdb", "postgresql"},
                                            {"postgres", "postgresql"},
                                            {"pg_basebackup", "postgresql"},
                                            {"redis-server", "redis-server"},
                                            {"prometheus", "prometheus"},
                                            {"prometheus-alertmanager", "prometheus-alertmanager"},
                                            {"prometheus-node-exporter", "prometheus-node-exporter", true},
                                            {"prometheus-postgres-exporter", "prometheus-postgres-exporter", true},
                                            {"prometheus-redis-exporter", "prometheus-redis-exporter", true},
                                            {"grafana-server", "grafana", true}}};
  return all;
}

// The newest version of PostgreSQL whose server is there.
Path postgresql_folder() {
  Path newest;
  int version = 0;
  std::error_code error;
  for (const auto& each : std::filesystem::directory_iterator("/usr/lib/postgresql", error)) {
    int number = 0;
    const std::string name = each.path().filename().string();
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (number > version && std::filesystem::exists(each.path() / "bin/initdb", error)) {
      version = number;
      newest = each.path() / "bin";
    }
  }
  return newest;
}

std::vector<Path> folders() {
  std::vector<Path> all;
  // First: one of its programs alone, found elsewhere, would not fit the others.
  if (const Path postgresql = postgresql_folder(); !postgresql.empty()) all.push_back(postgresql);
  const char* path = std::getenv("PATH");
  for (const std::string_view folder : split(path != nullptr ? path : "", ':'))
    if (!folder.empty()) all.emplace_back(folder);
  for (const char* folder : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/usr/share/grafana/bin"})
    all.emplace_back(folder);
  return all;
}

std::vector<std::string> packages_of(const std::vector<Program>& programs) {
  std::vector<std::string> packages;
  for (const Program& each : programs)
    if (std::ranges::find(packages, each.package) == packages.end()) packages.push_back(each.package);
  return packages;
}

Result<> run_apt(std::vector<std::string> arguments) {
  if (::geteuid() != 0) arguments.insert(arguments.begin(), {"sudo", "-n"});
  const SystemClock clock;
  TRY(const Finished done, run_process(arguments, "", Deadline(clock, clock.now() + std::chrono::minutes(15))));
  if (done.good()) return {};
  return fail(Code::unavailable,
              fmt::format("{} ended with status {}: {}", fmt::join(arguments, " "), done.status, trim(done.errors)));
}

}  // namespace

std::vector<Program> Programs::lacking(bool optional) const {
  std::vector<Program> those;
  std::ranges::copy_if(missing, std::back_inserter(those),
                       [&](const Program& each) { return each.optional == optional; });
  return those;
}

Programs find_programs() {
  Programs programs;
  const std::vector<Path> where = folders();
  for (const Program& each : all_programs()) {
    const auto found = std::ranges::find_if(
        where, [&](const Path& folder) { return ::access((folder / each.name).c_str(), X_OK) == 0; });
    if (found == where.end()) {
      programs.missing.push_back(each);
    } else {
      programs.paths[each.name] = (*found / each.name).string();
    }
  }
  return programs;
}

Result<> must_be_there(const Programs& programs) {
  const auto missing = programs.lacking(false);
  if (missing.empty()) return {};
  std::string text = "these programs are missing:\n";
  for (const Program& each : missing)
    text += fmt::format("  {}, of the package {}\n", each.name, each.package);
  return fail(Code::not_found,
              fmt::format("{}Install them with --install, or: sudo apt-get install --no-install-recommends {}", text,
                          fmt::join(packages_of(missing), " ")));
}

Result<> install(const Programs& programs) {
  std::vector<Program> wanted = programs.missing;
  std::erase_if(wanted, [](const Program& each) { return each.package == "grafana"; });  // not of Debian's
  if (wanted.empty()) return {};
  TRYV(run_apt({"apt-get", "update", "-qq"}));
  std::vector<std::string> command{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y",
                                   "-qq", "--no-install-recommends"};
  std::ranges::copy(packages_of(wanted), std::back_inserter(command));
  return run_apt(std::move(command));
}

}  // namespace cc::playground
