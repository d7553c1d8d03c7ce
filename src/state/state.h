// The state: one SQLite file per node, changed only by applying committed commands in order.
//
// One thread (the log thread) applies; it alone may call the members under "apply". Any thread may
// ask the questions of queries.h, on connections of their own. Applying is deterministic: two nodes
// that applied the same log answer the same checksum().
//
// Commands are applied inside one open transaction until commit(); the applied index is stored in
// that transaction, so the file always says truthfully how far it is. The log makes commands durable, so
// a transaction may span many batches of them, each delivered (take_changes) before it ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "model/event.h"
#include "model/grants.h"
#include "model/words.h"

namespace cc::log {
class Command;
class Outcome;
}  // namespace cc::log

namespace cc::state {

using Index = std::uint64_t;

struct RevokedToken {
  std::string id;
  Wall expires;
};

// What a batch of commands changed.
struct Changes {
  std::vector<Event> events;                 // in order of revision
  bool identity = false;                     // users, grants, keys, applications' departments: reload Identity
  std::vector<RevokedToken> revoked_tokens;  // new ones, which Identity has too
  Revision revision = 0;                     // newest after the batch
};

struct Position {
  Index applied = 0;              // Raft index of the newest command in the file
  std::uint32_t applied_crc = 0;  // CRC-32 of that command's bytes: tells a state of another log
  Revision revision = 0;
  std::string cluster_id;  // empty before InitializeCluster
};

// Everything that decides who may do what; loaded whole when it changes.
struct Identity {
  std::vector<User> users;
  std::vector<AccessKey> keys;
  std::vector<RevokedToken> revoked_tokens;
  std::vector<Application> applications;  // for grants by department
};

// Equal on all nodes, since what is kept is part of the state.
struct Options {
  // Outcomes of request ids are kept this long, by a clock that does not jump (state/answered.h) …
  std::chrono::milliseconds remember_requests = std::chrono::hours(24);
  // … and so many of them, but each for this long.
  std::size_t remember_requests_at_most = 100'000;
  std::chrono::milliseconds remember_requests_at_least{60'000};
  std::uint64_t keep_versions = 100'000;  // of each config; older releases are forgotten
  // Audit records: the newest of changes, and the newest of attempts, which changed nothing and which anybody may make.
  std::uint64_t keep_audited_changes = 1'000'000;
  std::uint64_t keep_audited_attempts = 100'000;
  std::uint64_t keep_ended_keys = 1000;          // access keys that were revoked or have expired; the newest
  std::uint64_t revoked_tokens_per_user = 1000;  // that have not expired; beyond, all tokens of the user end
};

class State {
 public:
  // Opens or creates `file` (SQLite, WAL), and migrates its schema. corruption when it is damaged or
  // of a newer product version; the message says what to do.
  static Result<std::unique_ptr<State>> open(const Path& file, Options options = {});
  ~State();

  Position position() const;

  // --- apply: log thread only ---

  // Applies one command in the open transaction and returns the encoded log::Outcome. A refusal
  // (conflict, not_found, …) is an outcome, not an error, and is committed too. An error
  // (disk full, I/O) means that nothing of the open transaction may be believed: call roll_back().
  Result<std::string> apply(Index index, std::string_view command);

  // What was changed since the last call. Not undone by a crash: it is changed again when the log is applied again.
  Changes take_changes();

  // As it is now, committed or not.
  Result<Identity> identity();

  // Ends the open transaction, if there is one.
  Result<> commit();
  void roll_back();

  // The state at the last commit(), held until it is written or forgotten. Beginning one is cheap; it may then be
  // written on another thread while applying goes on.
  class Snapshot {
   public:
    virtual ~Snapshot() = default;
    virtual const Position& position() const = 0;
    virtual std::uint64_t bytes() const = 0;       // of the file
    virtual Result<> write(const Path& file) = 0;  // once; makes `file`, a SQLite database like the state's own
  };
  Result<std::unique_ptr<Snapshot>> begin_snapshot();

  // Replaces the state by a copy of `snapshot`, atomically: a crash leaves the old state or the new. corruption when it
  // is not a sound state. requires: no open transaction. Query connections notice and reopen.
  Result<> restore(const Path& snapshot);

  // --- reading what is committed; any thread ---

  // Calls `each` with every published config and every tombstone, ordered by key.
  Result<> load_releases(const std::function<void(ReleasePtr)>& each) const;

  // SHA-256 over the logical content of all tables: equal on all nodes at the same applied index.
  Result<std::string> checksum() const;

 private:
  struct Impl;
  explicit State(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::state
