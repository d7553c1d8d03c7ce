// The configs that benches make for themselves and remove afterwards.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "cli/signals.h"
#include "model/words.h"

namespace cc::cli {

struct BenchPlace {
  std::string environment = "dev", application = "config-center-bench";
  std::size_t size = 256;
  bool keep = false;
};
void add_bench_place(CLI::App& command, BenchPlace& place);

// Deletes the configs that were made in it, and the application and the cluster when they were not there before, unless
// they are to be kept; says so when that fails. Signals wait for that: loops end when HeldSignals::noted().
class BenchConfigs {
 public:
  BenchConfigs(Session& session, const BenchPlace& place) : session_(session), place_(place) {}
  ~BenchConfigs();
  BenchConfigs(const BenchConfigs&) = delete;
  BenchConfigs& operator=(const BenchConfigs&) = delete;

  // The key of one; it is deleted at the end whether or not it was published.
  ConfigKey key(const std::string& name);
  // Publishes `size` bytes that begin with `start`; the revision.
  Result<Revision> publish(const ConfigKey& key, const std::string& start);
  static std::string content(const std::string& start, std::size_t size);

 private:
  void look_at_place();

  HeldSignals signals_;  // goes last
  Session& session_;
  BenchPlace place_;
  std::vector<std::string> new_place_;  // the paths of cluster and application, as far as the bench makes them
  std::vector<ConfigKey> made_;
};

}  // namespace cc::cli
