#include "deploy/release.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/process.h"
#include "base/text.h"
#include "deploy/app.h"
#include "deploy/package_files.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

std::unexpected<Error> no_package(const Path& file, std::string_view why) {
  return fail(
      Code::invalid_argument,
      fmt::format("{} is no package of config-center's ({}); make one with script/package", file.string(), why));
}

struct Manifest {
  std::string name, version, dependencies;
};

Result<std::string> field(const Path& package, const char* name, const Deadline& until) {
  TRY(const Finished finished, run_process({"dpkg-deb", "-f", package.string(), name}, "", until));
  if (!finished.good()) return no_package(package, trim(finished.errors));
  return std::string(trim(finished.output));
}

Result<Manifest> manifest_of_deb(const Path& package, const Deadline& until) {
  Manifest manifest;
  TRY(manifest.name, field(package, "Package", until));
  TRY(manifest.version, field(package, "Version", until));
  TRY(manifest.dependencies, field(package, "Depends", until));
  return manifest;
}

Result<Manifest> manifest_of_archive(const Path& package, const Deadline& until) {
  TRY(const Finished finished,
      run_process({"tar", "-xzOf", package.string(), "--wildcards", "config-center-*/manifest.json"}, "", until));
  if (!finished.good()) return no_package(package, trim(finished.errors));
  boost::system::error_code error;
  const boost::json::value all = boost::json::parse(finished.output, error);
  Manifest manifest;
  for (const auto& [key, into] : {std::pair("name", &manifest.name), std::pair("version", &manifest.version),
                                  std::pair("depends", &manifest.dependencies)}) {
    const boost::json::value* value = error || !all.is_object() ? nullptr : all.get_object().if_contains(key);
    if (value == nullptr || !value->is_string()) return no_package(package, fmt::format("its manifest has no {}", key));
    *into = value->get_string();
  }
  return manifest;
}

}  // namespace

std::string_view Release::form() const {
  return package.string().ends_with(kForms[1]) ? kForms[1] : kForms[0];
}

std::string Release::folder() const {
  return fmt::format("{}/releases/{}", kAppFolder, name);
}

Result<Release> read_release(const Path& package, const Deadline& until) {
  TRY(const std::string bytes, read_file(package));
  Release release{.package = package};
  TRY(const Manifest manifest,
      release.form() == kForms[1] ? manifest_of_archive(package, until) : manifest_of_deb(package, until));
  if (manifest.name != "config-center") return no_package(package, fmt::format("but of {}'s", manifest.name));
  release.version = manifest.version;
  release.dependencies = manifest.dependencies;
  release.name = fmt::format("{}-{}", release.version, sha256_hex(bytes).substr(0, 12));
  return release;
}

Release release_on_hosts(const std::string& name) {
  return {.name = name, .version = name.substr(0, name.rfind('-'))};
}

Stage release_stage(const Topology& topology, const Release& release) {
  Stage stage{.name = "package"};
  const std::string there = fmt::format("/var/tmp/config-center-{}{}", release.name, release.form());
  const std::string unpack = release.form() == kForms[1]
                                 ? fmt::format("tar -xzOf {} --wildcards 'config-center-*/bin/config-center'", there)
                                 : fmt::format("dpkg-deb --fsys-tarfile {} | tar -xO ./usr/bin/config-center", there);
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
          "export DEBIAN_FRONTEND=noninteractive\n"
          "satisfy() {{ apt-get satisfy -y --no-install-recommends {arguments} {depends} >/dev/null; }}\n"
          "if ! satisfy 2>/dev/null; then\n"
          "  {update}"
          "  satisfy\n"
          "fi\n"
          "need=$(( $(stat -c %s {there}) * 5 / 1024 )) free=$(df -Pk {app} | awk 'NR==2 {{print $4}}')\n"
          "[ $free -ge $need ] || {{ echo \"there is no space for it: $free KB are free on the disk of {app}, $need "
          "are "
          "needed\" >&2; exit 1; }}\n"
          "rm -rf {folder}.new; install -d -m 0755 {folder}.new/bin\n"
          "{unpack} >{folder}.new/bin/config-center\n"
          "chmod 0755 {folder}.new/bin/config-center\n"
          "{folder}.new/bin/config-center version >/dev/null\n"
          "mv {folder}.new {folder}\n"
          // What validates settings, and what `health` is, until a node runs it.
          "[ -e {current} ] || ln -s releases/{name} {current}\n",
          fmt::arg("there", there), fmt::arg("folder", release.folder()), fmt::arg("unpack", unpack),
          fmt::arg("arguments", apt_arguments(topology)), fmt::arg("update", apt_update(topology)),
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
