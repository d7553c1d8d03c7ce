// What was generated once for an installation, and is kept on the operator's side alone: passwords, and the secrets
// that nodes share.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace cc::deploy {

// Each is text of letters and digits, so that it can stand in any file without quoting.
struct Secrets {
  std::string raft, jwt, encryption;  // of the nodes
  std::string database;               // of the nodes' user in PostgreSQL
  std::string replication, rewind;    // of PostgreSQL's own users
  std::string cache;                  // of Redis and the Sentinels
  std::string vrrp;                   // eight characters, which is all that VRRP takes
  std::string statistics;             // of HAProxy's page
  std::string grafana_admin;
  std::string admin;  // of the administrator of the configuration center, as it is made
};

std::vector<std::string> all_of(const Secrets& secrets);

// One file for each in the folder, mode 0600 in 0700; those that are not there are made now. A file that the operator
// wrote is taken as it is: invalid_argument when it has other characters, or too few.
Result<Secrets> keep_secrets(const Path& folder);

}  // namespace cc::deploy
