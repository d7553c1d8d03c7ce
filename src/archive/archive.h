// The archive in PostgreSQL: every release and every audit record there ever was. A projection of the log: the leader
// writes it behind the log, and no publish, read or watch waits for it. Questions about the past are answered from it,
// together with what the node asked has itself.
//
// Any thread. What asks the database blocks: call it on a worker.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/bell.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/result.h"
#include "model/projection.h"
#include "model/words.h"
#include "state/feed.h"
#include "state/queries.h"

namespace cc::archive {

struct Options {
  std::string hosts;  // comma-separated, each with or without a port
  std::uint16_t port = 5432;
  std::string username, password, database, sslmode = "prefer", root_certificate;
  std::size_t pool_size = 8;  // connections of this node in all
  std::chrono::milliseconds max_lifetime{std::chrono::minutes(30)};
};

// invalid_argument for hosts that cannot be read.
Result<> check_hosts(std::string_view hosts);

// Where an answer comes from; what is newest in it always comes from the node itself.
enum class Source { node, replica, primary };
std::string_view to_string(Source source);

template <class T>
struct Answer {
  T value;
  Source source = Source::node;
};

// What the node answers alone.
template <class T>
Result<Answer<T>> from_here(Result<T> answer) {
  TRY(T value, std::move(answer));
  return Answer<T>{.value = std::move(value), .source = Source::node};
}

class Archive {
 public:
  // `state_file` is that of the node's state; `committed` rings when it has something new.
  static Result<std::unique_ptr<Archive>> open(const Options& options, const Path& state_file, Bell& committed,
                                               const Clock& clock);
  ~Archive();

  // What the leader does, until it is asked to stop; a thread of the caller's.
  void write(const std::stop_token& stop);

  // Up to where everything is in it, as this node has seen it last; none as long as it does not reach the primary.
  std::optional<state::FeedPosition> position() const;

  // As this node sees it, which is at that revision.
  ProjectionStatus status(Revision here) const;

  // As state::Queries answers, of all that there ever was. `here` is asked for what the archive does not have yet, and
  // for everything while no server answers that has what this node may have forgotten.
  Result<Answer<state::Page<ReleaseInfo>>> history(const state::Queries& here, const ConfigKey& key,
                                                   const state::PageRequest& page, const Deadline& until);
  Result<Answer<ReleasePtr>> release(const state::Queries& here, const ConfigKey& key, Version version,
                                     const Deadline& until);
  Result<Answer<state::Page<AuditRecord>>> audit(const state::Queries& here, const state::AuditFilter& filter,
                                                 const state::PageRequest& page, const Deadline& until);

  // A part of what this node has held against the archive, from a position on.
  struct Verified {
    state::FeedPosition until;               // of this part; the next one goes on there
    state::FeedPosition archive;             // how far the archive is
    std::uint64_t releases = 0, audits = 0;  // compared
    std::vector<std::string> differences;
    bool all = false;  // nothing is left to compare
  };
  Result<Verified> verify(const state::FeedPosition& after, const Deadline& until);

  // Everything that the nodes still have is written again; what only the archive has stays. Returns at once: the leader
  // does it.
  Result<> rebuild(const Deadline& until);

 private:
  struct Impl;
  explicit Archive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::archive
