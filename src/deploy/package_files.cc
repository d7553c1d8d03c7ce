#include "deploy/package_files.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

constexpr std::string_view kUploaded = "/var/tmp/config-center-packages.tar";
// Arguments of apt-get.
std::string only_ours() {
  return fmt::format("-o Dir::Etc::sourcelist={}/sources.list -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0",
                     kPackagesFolder);
}

// The name of a package's file has its version: names and sizes tell one set of files from another.
std::string fingerprint(const Path& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& each : std::filesystem::directory_iterator(folder, error)) {
    if (each.path().extension() == ".deb")
      files.push_back(fmt::format("{} {}", each.path().filename().string(), each.file_size(error)));
  }
  std::ranges::sort(files);
  return sha256_hex(fmt::format("{}", fmt::join(files, "\n")));
}

}  // namespace

Step package_files_step(const Topology& topology, const Host& host) {
  const std::string wanted = fingerprint(topology.packages);
  return {
      .host = host.name,
      .name = "files of packages",
      .check = fmt::format("[ \"$(cat {}/fingerprint 2>/dev/null)\" = {} ] && exit 0\necho 'are put there'; exit 1\n",
                           kPackagesFolder, wanted),
      // As dpkg-scanpackages does, which is in no minimal system.
      .action = fmt::format(
          "trap 'rm -rf {there} {folder}.new' EXIT\n"
          "rm -rf {folder}.new; install -d -m 0755 {folder}.new; cd {folder}.new\n"
          "tar -xf {there} --no-same-owner\n"
          "ls *.deb >/dev/null 2>&1 || {{ echo 'the folder that packages of the topology names has no .deb files' "
          ">&2; exit 1; }}\n"
          "for each in *.deb; do\n"
          "  dpkg-deb -f \"$each\"\n"
          "  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' \"$each\" $(stat -c %s \"$each\") "
          "$(sha256sum \"$each\" | cut -d' ' -f1)\n"
          "done >Packages\n"
          "chmod 0644 *; echo 'deb [trusted=yes] file:{folder} ./' >sources.list\n"
          "cd /; rm -rf {folder}; mv {folder}.new {folder}\n"
          "{update}"
          "echo {wanted} >{folder}/fingerprint\n",
          fmt::arg("there", kUploaded), fmt::arg("folder", kPackagesFolder), fmt::arg("update", apt_update(topology)),
          fmt::arg("wanted", wanted)),
      .undo = "",
      .upload = Upload{.from = topology.packages, .to = std::string(kUploaded)},
      .patience = std::chrono::minutes(15)};
}

std::string apt_arguments(const Topology& topology) {
  return fmt::format("-o DPkg::Lock::Timeout=120 {}", topology.packages.empty() ? "" : only_ours());
}

std::string apt_update(const Topology& topology) {
  if (topology.packages.empty()) return "apt-get update -q >/dev/null 2>&1 || true\n";
  return fmt::format("apt-get update -q {} >/dev/null\n", only_ours());
}

}  // namespace cc::deploy
