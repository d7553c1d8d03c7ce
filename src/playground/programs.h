// The programs that a playground runs besides its own, and the Debian packages that have them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace cc::playground {

struct Program {
  std::string name;     // "haproxy"
  std::string package;  // "haproxy"; as apt-get knows it
  bool optional = false;
};

struct Programs {
  std::map<std::string, std::string> paths;  // by name, of those that are there
  std::vector<Program> missing;

  bool has(const std::string& name) const { return paths.contains(name); }
  const std::string& path(const std::string& name) const { return paths.at(name); }
  std::vector<Program> lacking(bool optional) const;
};

// All that a full playground runs, in $PATH and where Debian has what only root calls, or several versions of.
Programs find_programs();

// As an error: what is missing, with its packages, and what to do.
Result<> must_be_there(const Programs& programs);

// Installs the packages of what is missing, as root or with sudo; what is optional only where the package is known.
// Blocks for minutes.
Result<> install(const Programs& programs);

}  // namespace cc::playground
