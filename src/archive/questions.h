// What is asked of one server of the archive, in SQL. All of it up to a position: beyond, the node's own state answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/connection.h"
#include "model/words.h"
#include "state/feed.h"
#include "state/queries.h"

namespace cc::archive {

template <class T>
struct Numbered {
  std::uint64_t id;
  T item;
};

// Newest first, of those whose number is less than `before`; so many at most.
std::vector<Numbered<ReleaseInfo>> ask_history(Connection& connection, const std::string& key, std::uint64_t before,
                                               std::size_t at_most);
std::vector<AuditRecord> ask_audit(Connection& connection, const state::AuditFilter& filter, std::uint64_t before,
                                   std::size_t at_most);
// Null when there is none.
ReleasePtr ask_release(Connection& connection, const ConfigKey& key, Version version);

// All whose number is in (after, until], by number.
std::vector<state::FeedRelease> ask_releases(Connection& connection, std::uint64_t after, std::uint64_t until);
std::vector<AuditRecord> ask_audits(Connection& connection, std::uint64_t after, std::uint64_t until);

}  // namespace cc::archive
