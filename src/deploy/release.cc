#include "deploy/release.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/process.h"
#include "base/text.h"
#include "deploy/app.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

Result<std::string> field(const Path& package, const char* name, const Deadline& until) {
  TRY(const Finished finished, run_process({"dpkg-deb", "-f", package.string(), name}, "", until));
  if (!finished.good()) {
    return fail(Code::invalid_argument, fmt::format("{} is no Debian package ({}); make one with script/package",
                                                    package.string(), trim(finished.errors)));
  }
  return std::string(trim(finished.output));
}

}  // namespace

std::string Release::folder() const {
  return fmt::format("{}/releases/{}", kAppFolder, name);
}

Result<Release> read_release(const Path& package, const Deadline& until) {
  TRY(const std::string bytes, read_file(package));
  TRY(const std::string of, field(package, "Package", until));
  if (of != "config-center") {
    return fail(Code::invalid_argument, fmt::format("{} is a package of {}, not of config-center; make one with "
                                                    "script/package",
                                                    package.string(), of));
  }
  Release release{.package = package};
  TRY(release.version, field(package, "Version", until));
  TRY(release.dependencies, field(package, "Depends", until));
  release.name = fmt::format("{}-{}", release.version, sha256_hex(bytes).substr(0, 12));
  return release;
}

Release release_on_hosts(const std::string& name) {
  return {.name = name, .version = name.substr(0, name.rfind('-'))};
}

Stage release_stage(const Topology& topology, const Release& release) {
  Stage stage{.name = "package"};
  const std::string there = fmt::format("/var/tmp/config-center-{}.deb", release.name);
  for (const std::string& host : topology.app.hosts) {
    Step step{
        .host = host,
        .name = "release " + release.name,
        .check = fmt::format("[ -x {}/bin/config-center ] && exit 0\necho 'is installed'; exit 1\n", release.folder())};
    if (release.package.empty()) {
      step.action =
          fmt::format("echo 'release {} is not on this host any more: give its package with --package' >&2; exit 1\n",
                      release.name);
    } else {
      step.upload = Upload{.from = release.package, .to = there};
      // Beside its place first: a release is there as a whole, or it is not.
      step.action = fmt::format(
          "trap 'rm -rf {there} {folder}.new' EXIT\n"
          "if ! apt-get satisfy -y --no-install-recommends -o DPkg::Lock::Timeout=120 {depends} >/dev/null 2>&1; then\n"
          "  apt-get update -q >/dev/null 2>&1 || true\n"
          "  DEBIAN_FRONTEND=noninteractive apt-get satisfy -y --no-install-recommends -o DPkg::Lock::Timeout=120 "
          "{depends} >/dev/null\n"
          "fi\n"
          "need=$(( $(stat -c %s {there}) * 5 / 1024 )) free=$(df -Pk {app} | awk 'NR==2 {{print $4}}')\n"
          "[ $free -ge $need ] || {{ echo \"there is no space for it: $free KB are free on the disk of {app}, $need "
          "are "
          "needed\" >&2; exit 1; }}\n"
          "rm -rf {folder}.new; install -d -m 0755 {folder}.new/bin\n"
          "dpkg-deb --fsys-tarfile {there} | tar -xO ./usr/bin/config-center >{folder}.new/bin/config-center\n"
          "chmod 0755 {folder}.new/bin/config-center\n"
          "{folder}.new/bin/config-center version >/dev/null\n"
          "mv {folder}.new {folder}\n"
          // What validates settings, and what `health` is, until a node runs it.
          "[ -e {current} ] || ln -s releases/{name} {current}\n",
          fmt::arg("there", there), fmt::arg("folder", release.folder()),
          fmt::arg("depends", shell_word(release.dependencies)), fmt::arg("current", kCurrentRelease),
          fmt::arg("name", release.name), fmt::arg("app", kAppFolder));
      step.patience = std::chrono::minutes(10);
    }
    stage.steps.push_back(std::move(step));
  }
  return stage;
}

std::string choose_release(const Release& release, const Run& run) {
  return fmt::format(
      "install -d -m 0700 {run}\n"
      "[ -e {run}/release ] || readlink {current} >{run}/release || true\n"
      "ln -sfn releases/{name} {current}.new; mv -T {current}.new {current}\n",
      fmt::arg("run", run.kept()), fmt::arg("current", kCurrentRelease), fmt::arg("name", release.name));
}

std::string choose_release_before(const Run& run) {
  return fmt::format(
      "if [ -s {run}/release ]; then ln -sfn \"$(cat {run}/release)\" {current}.new; mv -T {current}.new {current}; "
      "fi\n",
      fmt::arg("run", run.kept()), fmt::arg("current", kCurrentRelease));
}

}  // namespace cc::deploy
