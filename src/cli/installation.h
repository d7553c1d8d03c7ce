// The installation that a command is about: its topology, secrets and records, and the way to its hosts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/table.h"
#include "cli/session.h"
#include "deploy/data.h"
#include "deploy/environment.h"
#include "deploy/lock.h"
#include "deploy/numbers.h"
#include "deploy/record.h"
#include "deploy/run.h"
#include "deploy/secrets.h"
#include "deploy/stages.h"
#include "deploy/topology.h"
#include "deploy/verify.h"

namespace cc::cli {

struct Installation {
  deploy::Topology topology;
  std::string text;  // of the topology's file
  deploy::Secrets secrets;
  deploy::Records records;
  deploy::Numbers numbers;
  Path numbers_file;
  SystemClock clock;

  deploy::Hosts hosts() const;
};
// Makes the secrets that are not there yet.
Result<Installation> open_installation(const std::string& file);
// The same with another text of its topology, which need not be in the file.
Result<Installation> with_text(const Installation& installation, const std::string& file, std::string text);

// Wrong usage with the name that no host of the topology has.
Result<> must_be_hosts(const deploy::Topology& topology, const std::vector<std::string>& names);

// The release of `package`; else the named one, else the one that was deployed last. Wrong usage when there is none.
Result<deploy::Release> release_of(const Installation& installation, const std::string& package,
                                   const std::string& release = {});

// Carries out stages under the lock: tells of each step as it happens, and keeps a record of it. `text`: the topology
// that is recorded. An error when a step failed, with what became of it.
struct Operation {
  std::string name;  // "deploy"
  std::string release, text;
  bool undo = true;
  bool whole = true;  // brings the installation to what `text` and the release say
};
Result<> carry_out(Session& session, const Installation& installation, const Operation& operation,
                   const deploy::Run& run, const deploy::Stages& stages);

// Deploys that release, and verifies.
struct Deployment {
  std::string name = "deploy";
  std::string release;  // one that the hosts have; else `package`
  std::string package;
  bool undo = true, overwrite = false, verify = true, check = true;
  bool backup = true;  // of the nodes' states, when another release comes, or other data
  // The data go back to this one, too, and what was changed since is lost.
  std::optional<deploy::KeptBackup> data = {};
};
// What is done then, in the order in which it is. `work`: a folder on the operator's side, for as long as it takes.
deploy::Stages stages_of(const Installation& installation, const deploy::Release& release, const deploy::Run& run,
                         const Deployment& deployment, const Path& work);
Result<> deploy_installation(Session& session, const Installation& installation, const Deployment& deployment);

// What `check` finds on all hosts, in their order, each asked on a thread of its own; with `fix`, after what is safe
// was put right.
std::vector<deploy::Finding> check_all(const deploy::Topology& topology, bool fix);

// What those stages would do, of each host; changes nothing.
Result<std::vector<deploy::Outcome>> plan_of(const Installation& installation, const deploy::Stages& stages);

// Prints what a verification found, with further probes; conflict when something failed.
Result<> verify_installation(Session& session, const Installation& installation,
                             const std::vector<deploy::Probe>& more = {});
Result<> print_findings(Session& session, const std::vector<deploy::Finding>& findings, bool all);

}  // namespace cc::cli
