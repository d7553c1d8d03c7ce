// What the commands about backups print.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/json/object.hpp>

#include "backup/backup.h"
#include "backup/kept.h"
#include "backup/since_json.h"
#include "cli/terminal.h"

namespace cc::cli {

boost::json::object json_of(const backup::Manifest& manifest);
std::string text_of(const backup::Manifest& manifest);
// Where the archive was.
std::string place_of(const backup::History& history);
boost::json::object json_of(const backup::Kept& kept);
// What was changed since a backup.
std::string text_of(const state::Since& since);

// How much of a state was worked on, once it is known how large it is.
class StateProgress {
 public:
  explicit StateProgress(std::string label) : label_(std::move(label)) {}
  backup::Progress teller();  // lives no longer than this

 private:
  std::string label_;
  std::unique_ptr<Progress> bar_;
  std::uint64_t told_ = 0;
};

}  // namespace cc::cli
