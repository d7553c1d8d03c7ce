// How a release that was made is told to the person who made it: by publish, rollback, delete and draft publish.
#pragma once

#include <string_view>

#include <boost/json/value.hpp>

#include "cli/session.h"
#include "model/words.h"

namespace cc::cli {

// "published prod/shop/default/a.yaml: version 3, revision 17" and `further`.
void print_release(Session& session, std::string_view done, const boost::json::value& outcome,
                   std::string_view further = "");

// The content that is published now, or nothing when there is none.
struct Published {
  std::string content, version, revision, format;
};
Result<std::optional<Published>> published(Session& session, const ConfigKey& key);

// A unified diff, coloured on a terminal.
std::string coloured_diff(std::string_view unified, bool colour);

// What --dry-run shows of a release that would be made: the sentence, and the difference to what is published.
void print_planned_release(Session& session, std::string_view sentence, const ConfigKey& key,
                           const std::optional<Published>& before, std::string_view content);

}  // namespace cc::cli
