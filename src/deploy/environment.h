// Checking the environment: what hosts are and have, against what the topology requires and what will be put on them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deploy/facts.h"
#include "deploy/topology.h"

namespace cc::deploy {

enum class Verdict { pass, warn, fail, not_tested };
std::string_view to_string(Verdict verdict) noexcept;

struct Finding {
  std::string host, check;  // "memory", "port 8848", …
  Verdict verdict = Verdict::pass;
  std::string message;  // what was found, what is required, what to do
};

// Of one host. Nothing is told to be well that was not looked at.
std::vector<Finding> check_host(const Topology& topology, const Host& host, const Facts& facts);

// What can be put right without asking anybody: a script of root's; empty: nothing. Kernel settings go into a file of
// their own, and the clock is kept in step by systemd where nothing else does.
std::string repair_script(const Topology& topology, const Host& host, const Facts& facts);

}  // namespace cc::deploy
