// A version of the program, as it lies in a package, and on the hosts beside the versions before it.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "deploy/step.h"
#include "deploy/topology.h"

namespace cc::deploy {

// How the names of packages end.
inline constexpr std::array<std::string_view, 2> kForms{".deb", ".tar.gz"};

struct Release {
  std::string name;               // "0.1.0-3f2a91bc04de": the version, and what the package's bytes are
  std::string version;            // "0.1.0"
  std::string dependencies;       // of Debian, as the package names them
  Path package;                   // a .deb or .tar.gz of script/package; empty: the hosts have it already
  std::string_view form() const;  // of the package: one of kForms
  std::string folder() const;
};

// invalid_argument when it is no package of config-center's, with what to do.
Result<Release> read_release(const Path& package, const Deadline& until);
// One that an earlier run has put on the hosts.
Release release_on_hosts(const std::string& name);

Stage release_stage(const Topology& topology, const Release& release);

// Scripts: the node that is started next is this release; and, after the step has failed, the one from before.
std::string choose_release(const Release& release, const Run& run);
std::string choose_release_before(const Run& run);

}  // namespace cc::deploy
