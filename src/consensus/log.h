// The replicated log: proposes bytes, commits them by Raft (libraft on libuv), applies them in order.
//
// One thread, the log thread, runs libuv and libraft and calls the state machine. The Log carries
// bytes and knows nothing of what they mean. A single node is a group of one, on the same code path.
//
// When the disk fails or is full the log fails what is in flight with `unavailable` and the reason,
// stays readable, and opens itself again from disk until that works: nothing needs a restart.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace cc::consensus {

using Index = std::uint64_t;
using Term = std::uint64_t;
using NodeId = std::uint64_t;

// What commits are applied to. Called on the log thread only, except Snapshot::read.
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  struct Applied {
    Index index = 0;
    std::uint32_t crc = 0;
  };  // CRC-32 of the last applied command
  virtual Applied applied() const = 0;

  // Applies one committed command; the returned bytes go to whoever proposed it. An error stops the log:
  // roll_back() follows, and the log is opened again.
  virtual Result<std::string> apply(Index index, std::string_view command) = 0;

  // Ends a batch: makes what was applied since the last one visible, then runs `then` exactly once, on any thread.
  // The log has it durably; the machine need not yet. On an error `then` has not run and will not: roll_back()
  // follows.
  virtual Result<> deliver(std::move_only_function<void()> then) = 0;
  // Ends the transaction, of one delivered batch or of many: applied() counts them from now on.
  virtual Result<> commit() = 0;
  // Forgets what was applied since the last commit(). What of it was delivered is applied, and delivered, again.
  virtual void roll_back() = 0;

  // What the machine was when it was begun, whatever is applied meanwhile.
  class Snapshot {
   public:
    virtual ~Snapshot() = default;
    virtual Applied applied() const = 0;
    virtual std::uint64_t bytes() const = 0;       // about what it will take
    virtual Result<> write(const Path& file) = 0;  // any thread, once; `file` is new
  };
  // requires: nothing is applied that is not committed
  virtual Result<std::unique_ptr<Snapshot>> begin_snapshot() = 0;
  // Becomes what a snapshot was written of. The file stays where it is.
  virtual Result<> restore(const Path& file) = 0;
};

struct Peer {
  NodeId id = 0;
  std::string address;
};

struct Options {
  Path directory;  // created when absent; used by this process only
  NodeId node_id = 1;
  std::string address = "127.0.0.1:7848";
  std::vector<Peer> peers;  // of a new group, this node included; empty: a group of one
  std::chrono::milliseconds election_timeout{1000};
  std::chrono::milliseconds heartbeat_interval{100};
  // A snapshot is taken after so many bytes of commands, since the last one: as many as that was large, within a
  // factor of four. Until then libraft keeps them in memory.
  std::uint64_t snapshot_after_bytes = 64u << 20;
  unsigned snapshot_after_entries = 0;           // and at the latest after so many; 0: only by bytes
  unsigned trailing_entries = 1024;              // kept after a snapshot for slow peers
  std::uint64_t min_free_disk = 64u << 20;       // proposals are refused below
  std::chrono::milliseconds reopen_delay{1000};  // after a failure; longer each time, up to eight times as long
  std::uint64_t max_pending_bytes = 256u << 20;  // proposals in flight; more are `exhausted`
};

enum class Role { unavailable, follower, candidate, leader };
std::string_view to_string(Role role) noexcept;

// A copy of what the log thread last knew. Cheap.
struct Status {
  Role role = Role::unavailable;
  NodeId node_id = 0, leader_id = 0;
  std::string leader_address;
  Term term = 0;
  Index first = 0, last = 0, commit = 0, applied = 0;
  Index snapshot = 0;           // index of the last snapshot
  std::uint64_t log_bytes = 0;  // on disk
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t elections = 0, snapshots_taken = 0, proposals = 0, proposals_failed = 0;
  std::uint64_t pending = 0;
  std::string trouble;  // why it is unavailable; empty when it is not
  struct Server {
    NodeId id;
    std::string address;
    std::string role;
  };
  std::vector<Server> servers;
};

// Durations, for metrics: called on the log thread.
struct Observer {
  // From proposing one command until it was delivered.
  std::function<void(std::chrono::nanoseconds)> committed = [](auto) {};
  // Applying and delivering one batch, and how many commands it had.
  std::function<void(std::chrono::nanoseconds, std::size_t)> applied = [](auto, auto) {};
};

class Log {
 public:
  using Answer = std::move_only_function<void(Result<std::string>)>;

  // Opens the log and starts the log thread. Returns when what is on disk has been read and everything
  // committed before the start has been applied (a group of one), or when that failed:
  //   corruption  the state machine is ahead of the log or of another log; the message says what to do
  //   conflict    the folder belongs to another node id
  //   unavailable no room, no permission
  static Result<std::unique_ptr<Log>> open(Options options, StateMachine& machine, Observer observer = {});
  // Stops the log thread. What is in flight is answered with `unavailable`.
  ~Log();

  // Any thread. `answer` runs exactly once, on any thread: with what apply() returned, after deliver()
  // made it visible; or with unavailable (not leader, disk, shut down), exhausted, timeout.
  // After unavailable or timeout the outcome is unknown.
  void propose(std::string command, Answer answer);

  // Under load the machine commits many batches at once. Any thread: runs `then` once, on the log thread, when the
  // machine has committed everything that was delivered before the call; or with unavailable when the log is closed
  // because of trouble and that has not happened.
  using Settled = std::move_only_function<void(Result<>)>;
  void settle(Settled then);
  // The same, waited for; costs nothing when there is nothing to commit. timeout when the machine takes longer than
  // `patience`. Not on the log thread.
  Result<> settle(std::chrono::milliseconds patience = std::chrono::seconds(10));

  Status status() const;  // any thread
  void snapshot_now();    // any thread; asks, does not wait

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::consensus
