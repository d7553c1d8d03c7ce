// The state as a feed: every release and every audit record in the order in which they were made, for what is kept of
// them elsewhere (the archive, the edge copy). Both are numbered, the same on all nodes; who has read up to some number
// goes on there, at whichever node. What a node has forgotten is passed over.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/file.h"
#include "base/result.h"
#include "model/words.h"

namespace cc::state {

// The newest of both that was read.
struct FeedPosition {
  std::uint64_t release = 0, audit = 0;
  bool operator==(const FeedPosition&) const = default;
};

struct FeedRelease {
  std::uint64_t id = 0;
  ReleasePtr release;  // or a tombstone
};

struct Places {
  std::vector<Environment> environments;
  std::vector<Application> applications;
  std::vector<Cluster> clusters;
};

struct FeedLimits {
  std::size_t releases = 2000, audits = 4000;
  std::uint64_t bytes = 8 << 20;  // of content; one release is read whatever its size
  bool places = false;            // also when nothing says that they have changed
};

// One committed state.
struct FeedBatch {
  std::vector<FeedRelease> releases;
  std::vector<AuditRecord> audits;
  std::optional<Places> places;  // all there are, when they may have changed within the batch
  FeedPosition until;            // what has been read with it
  FeedPosition newest;           // what there is; `after` may be beyond, of another history or a node that is behind
  std::string cluster_id;
  Revision revision = 0;  // everything up to it has been read with it
  FeedPosition archived;  // what the archive was said to have; what this node has forgotten is among it
  bool all() const { return until.release >= newest.release && until.audit >= newest.audit; }
};

// What there is, as of one committed state.
struct FeedNewest {
  FeedPosition at;
  std::string cluster_id;  // empty until the cluster was made
  Revision revision = 0;
  FeedPosition archived;  // as FeedBatch has it
};

class Feed {
 public:
  explicit Feed(Path file);  // of the state
  ~Feed();

  // What follows `after`. Never waits for what is not committed yet. `timeout` at the deadline. One thread at a time.
  Result<FeedBatch> read(const FeedPosition& after, const FeedLimits& limits, const Deadline& until) const;

  Result<FeedNewest> newest(const Deadline& until) const;

  // Every config that is published now, and up to where that is. Holds one committed state meanwhile; an error of
  // `each` ends it.
  Result<FeedPosition> published(const std::function<Result<>(FeedRelease)>& each, const Deadline& until) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::state
