// What is done to the hosts of an installation, as values: each step knows how to see that it is done already, how to
// do it, and how to undo it. All three are scripts for a shell of root's on the host (script.h), so that what a plan
// says and what a deployment does is the same text.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace cc::deploy {

// A file of the operator's that the step needs on the host; a folder becomes a .tar.
struct Upload {
  Path from;
  std::string to;  // in a folder in which anybody may write
};

// A file of the host's that the operator's side needs.
struct Download {
  std::string from;
  Path to;
};

struct Step {
  std::string host;  // its name
  std::string name;  // "file /etc/haproxy/haproxy.cfg"
  // Status 0: it is so already. kByHand: somebody has changed what we wrote. Else it is to be done, and what is printed
  // tells what would change. Changes nothing, and works on a host that has nothing of ours yet.
  std::string check;
  std::string action;  // succeeds, and the check says 0 then; or says why not
  // After a step of the same run has failed: all of them, the last one first; then all of `again`, in the same order.
  // Empty: it stays as it is, which hurts nobody (a package, a user).
  std::string undo;
  std::string again = {};             // what runs once more as it did before: services, when all files are as they were
  std::optional<Upload> upload = {};  // before the action
  std::optional<Download> download = {};  // after it
  std::chrono::seconds patience{120};     // with the action
};

inline constexpr int kByHand = 3;

// Hosts in parallel, the steps of each one after the other; the next stage begins when all are done.
struct Stage {
  std::string name;
  std::vector<Step> steps;
  bool one_host_after_the_other = false;
  // When it is: the host where this script of root's succeeds comes last. Empty: in the order of the steps.
  std::string comes_last = {};
  // On the operator's side, when all steps are done or were so already.
  std::function<Result<>()> afterwards = {};
};
using Stages = std::vector<Stage>;

// Where a host keeps what was written, and what was there before. Root's alone.
inline constexpr std::string_view kKept = "/var/lib/config-center-deployment";

// Which run of an installation: what it replaces is kept under its number.
struct Run {
  std::uint64_t number = 1;
  std::string kept() const { return std::string(kKept) + "/runs/" + std::to_string(number); }
};

}  // namespace cc::deploy
