// What was done to an installation, kept beside its topology: one folder for each run, with the topology as it was
// then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "deploy/run.h"

namespace cc::deploy {

struct Record {
  std::uint64_t number = 0;
  std::string operation;  // "deploy"
  std::string who;
  std::string release;
  // What the installation is when it ended well: stands for its release and topology. Empty: it changed neither.
  std::string state;
  Wall began{}, ended{};  // ended is the beginning while it goes on, or when it was cut off
  std::string result;     // "begun", "good", "failed", "rolled back"
  std::vector<Outcome> outcomes;
};

class Records {
 public:
  // `folder`: "deployments/<installation>" beside the topology.
  explicit Records(Path folder) : folder_(std::move(folder)) {}

  // The newest last. corruption names the file.
  Result<std::vector<Record>> all() const;
  Result<Record> find(std::uint64_t number) const;  // not_found tells which there are
  // The last one that ended well and left the installation in another state than that. not_found: there is none.
  Result<Record> last_good(std::string_view than = {}) const;
  std::uint64_t next_number() const;

  Result<> keep(const Record& record) const;
  Result<> keep_topology(std::uint64_t number, std::string_view text) const;
  Path topology_of(std::uint64_t number) const;

 private:
  Path folder_of(std::uint64_t number) const;
  std::vector<std::uint64_t> numbers() const;
  Path folder_;
};

}  // namespace cc::deploy
