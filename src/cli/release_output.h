// How a release that was made is told to the person who made it: by publish, rollback, delete and draft publish.
#pragma once

#include <string_view>

#include <boost/json/value.hpp>

#include "cli/session.h"
#include "model/words.h"

namespace cc::cli {

// "published prod/shop/default/a.yaml: version 3, revision 17" and `further`.
Result<> print_release(Session& session, std::string_view done, const boost::json::value& outcome,
                       std::string_view further = "");

// The content that is published now, or nothing when there is none.
struct Published {
  std::string content, version, revision, format;
  bool secret = false;
};
Result<std::optional<Published>> published(Session& session, const ConfigKey& key, const Freshness& freshness = {});

// What guards a release: --if-match, --new.
struct Guards {
  std::optional<std::uint64_t> revision;
  bool only_new = false;
};
// For --dry-run: what a server would refuse, told without changing anything.
Result<> check_release(Session& session, const ConfigKey& key, const std::optional<Published>& before,
                       const Guards& guards);
// The error of a guard that does not hold. `what`: "the draft of ...".
Result<> check_revision(std::string_view what, std::string_view is_at, std::optional<std::uint64_t> wanted);

// A unified diff as it is printed: on a terminal its control characters are shown, and it is coloured.
std::string printed_diff(std::string unified);
std::string coloured_diff(std::string_view unified, bool colour);

// What --dry-run shows of a release that would be made: the sentence, and the difference to what is published.
Result<> print_planned_release(Session& session, std::string_view sentence, const ConfigKey& key,
                               const std::optional<Published>& before, std::string_view content);

}  // namespace cc::cli
