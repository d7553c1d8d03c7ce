// The replicated log: proposes bytes, commits them by Raft, applies them in order.
//
// One thread, the log thread, runs libuv, decides by Raft and calls the state machine. The Log carries
// bytes and knows nothing of what they mean. A single node is a group of one, on the same code path.
// Any node of a group takes any request: what only the leader can do is sent to it.
//
// When the disk fails or is full the log fails what is in flight with `unavailable` and the reason,
// stays readable, and opens itself again from disk until that works: nothing needs a restart.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace cc::consensus {

using Index = std::uint64_t;
using Term = std::uint64_t;
using NodeId = std::uint64_t;

// What commits are applied to. Called on the log thread only, except Snapshot::write.
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  struct Applied {
    Index index = 0;
    std::uint32_t crc = 0;
  };  // CRC-32 of the last applied command
  virtual Applied applied() const = 0;
  // What names the group that the state is of, the same on all its nodes and no other group's; "" as long as nothing
  // has been applied. Nodes of two groups refuse each other by it. Log thread only.
  virtual std::string group() const = 0;

  // Applies one committed command; the returned bytes go to whoever proposed it. The same command may come again, at
  // another index, when a leader died between committing and answering it: that changes nothing, and is answered like
  // the first time. An error stops the log: roll_back() follows, and the log is opened again.
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
  std::string address;  // host:port
  friend bool operator==(const Peer&, const Peer&) = default;
};

struct Options {
  Path directory;  // created when absent; used by this process only
  NodeId node_id = 1;
  std::string address = "127.0.0.1:7848";
  std::vector<Peer> peers;  // of a new group, this node included; empty: a group of one
  bool join = false;        // an empty folder makes no group: it waits until a group adds this node
  std::string listen;       // host:port to listen on for the other nodes; empty: `address`
  // Known to all nodes of the group and nobody else: they prove it to each other. Needed when there are peers.
  std::string secret;
  Path tls_certificate_file, tls_key_file, tls_ca_file;  // between nodes; all three or none
  std::chrono::milliseconds election_timeout{1000};
  std::chrono::milliseconds heartbeat_interval{100};
  // A snapshot is taken after so many bytes of commands, since the last one: as many as that was large, within a
  // factor of four, and later by an eighth for each member with a smaller id. Until then they are in memory.
  std::uint64_t snapshot_after_bytes = 64u << 20;
  unsigned snapshot_after_entries = 0;           // and at the latest after so many; 0: only by bytes
  unsigned trailing_entries = 1024;              // kept after a snapshot for slow peers
  std::uint64_t min_free_disk = 64u << 20;       // proposals are refused below
  std::chrono::milliseconds reopen_delay{1000};  // after a failure; longer each time, up to eight times as long
  std::uint64_t max_pending_bytes = 256u << 20;  // proposals in flight; more are `exhausted`
};

enum class Role { unavailable, follower, candidate, leader };
std::string_view to_string(Role role) noexcept;

// What a member of the group is in it. All of them replicate and serve. One that joins becomes a voter by itself as
// soon as it has caught up.
enum class Membership { voter, observer, joining };
std::string_view to_string(Membership membership) noexcept;

// A change of who is in the group, or who leads it.
struct Change {
  enum class Kind {
    add,
    add_observer,
    promote,
    demote,
    remove,
    readdress,  // the leader does it by itself, for a node that says that it is reached elsewhere now
    transfer,   // to `node`, or to whoever has most of the log
    step_down,  // this node hands leadership to whoever has most of the log; done at once when it does not lead
  };
  Kind kind = Kind::add;
  NodeId node = 0;
  std::string address;  // add, add_observer, readdress
};

// A copy of what the log thread last knew. Cheap.
struct Status {
  Role role = Role::unavailable;
  NodeId node_id = 0, leader_id = 0;
  std::string leader_address;
  Term term = 0;
  Index first = 0, last = 0, commit = 0, applied = 0;
  Term last_term = 0;           // of entry `last`
  Index snapshot = 0;           // index of the last snapshot
  std::uint64_t log_bytes = 0;  // on disk
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t elections = 0, snapshots_taken = 0, proposals = 0, proposals_failed = 0;
  std::uint64_t pending = 0;
  std::string trouble;    // why it is unavailable; empty when it is not
  std::string waits_for;  // this node has no log: what must happen so that it gets one, in words
  struct Server {
    NodeId id;
    std::string address;
    Membership membership;
    // Only the leader knows these of the others:
    bool reachable = false;  // heard of within the election timeout
    Index match = 0;         // it has the log up to here, on disk
  };
  std::vector<Server> servers;
  // What is read here may be older than what others have acknowledged: there is no leader, or it was not heard of for
  // longer than the election timeout. Never on the only voter: without it nobody acknowledges.
  bool stale = true;
};

// Durations, for metrics: called on the log thread.
struct Observer {
  // From proposing one command until it was delivered.
  std::function<void(std::chrono::nanoseconds)> committed = [](auto) {};
  // Applying and delivering one batch, and how many commands it had.
  std::function<void(std::chrono::nanoseconds, std::size_t)> applied = [](auto, auto) {};
  // Writing one batch of entries to the log, until the disk had it.
  std::function<void(std::chrono::nanoseconds)> written = [](auto) {};
  // This node began to lead in a term, or (false) no longer does.
  std::function<void(bool leads, Term term)> leads = [](auto, auto) {};
  // Most of the group refuse this node, for a reason that it cannot mend by itself: it should not run.
  std::function<void(const Error&)> refused = [](auto&) {};
};

class Log {
 public:
  using Answer = std::move_only_function<void(Result<std::string>)>;
  using Then = std::move_only_function<void(Result<>)>;
  using Patience = std::chrono::milliseconds;  // how long something may take from now on

  // Opens the log and starts the log thread. Returns when what is on disk has been read and, in a group of one,
  // everything committed before the start has been applied, or when that failed:
  //   corruption  the state machine is ahead of the log or of another log; the message says what to do
  //   conflict    the folder belongs to another node id
  //   unavailable no room, no permission
  static Result<std::unique_ptr<Log>> open(Options options, StateMachine& machine, Observer observer = {});
  // Stops the log thread. What is in flight is answered with `unavailable`.
  ~Log();

  // Any thread, any node. `answer` runs exactly once, on any thread: with what apply() returned, after deliver() made
  // it visible on this node; or with unavailable (no leader was there in time, disk, shut down), exhausted, timeout.
  // After unavailable or timeout the outcome is unknown. When the leader changes meanwhile, the command is proposed
  // again.
  void propose(std::string command, Patience patience, Answer answer);

  // For a read that is linearizable. Any thread, any node: runs `then` once, on any thread, when everything that any
  // node had acknowledged before the call has been delivered here; unavailable when no leader could be asked in time.
  void read_barrier(Patience patience, Then then);
  // What read_barrier() is for those who do not ask for it: see Status::stale. Any thread; costs nothing.
  bool stale() const noexcept;

  // Any thread, any node: runs `then` once when the change is committed, or the new leader leads; it waits while
  // another change is going on. invalid_argument, not_found or already_exists when it makes no sense; timeout and
  // unavailable when it may or may not be made.
  void change(Change change, Patience patience, Then then);

  // Under load the machine commits many batches at once. Any thread: runs `then` once, on the log thread, when the
  // machine has committed everything that was delivered before the call; or with unavailable when the log is closed
  // because of trouble and that has not happened.
  void settle(Then then);
  // The same, waited for; costs nothing when there is nothing to commit. timeout when the machine takes longer than
  // `patience`. Not on the log thread.
  Result<> settle(std::chrono::milliseconds patience = std::chrono::seconds(10));

  // Any thread. Reads the TLS files again, for connections between nodes that are made from now on. On an error the old
  // ones stay.
  Result<> reload_tls();
  // Of what this node shows to the others; nothing without TLS. Any thread.
  std::optional<Wall> certificate_expires() const;

  Status status() const;  // any thread
  void snapshot_now();    // any thread; asks, does not wait

  // The newest entry of a log. Of several nodes of a group, one whose end is the greatest has everything that was
  // acknowledged by a majority that it was part of (5.4.1 of the Raft paper): terms are compared before indexes.
  struct End {
    Term term = 0;
    Index index = 0;
    friend auto operator<=>(const End&, const End&) = default;
  };
  // For a node that is stopped. Mends what a crash left in the folder, and changes nothing else. not_found when there
  // is no log in it; conflict when it belongs to another node id.
  static Result<End> end_on_disk(const Options& options);
  // For a node that is stopped and whose group has lost the majority of its voters for ever: makes it a group of its
  // own, of one, and returns where its log ended. What the lost nodes alone had is lost. The others must be wiped, and
  // join. Fails like end_on_disk().
  static Result<End> recover(const Options& options);
  // For a node that is stopped and has no log, and all others that found a group with it, each from the same state: a
  // log that begins with a snapshot of it, as if entry `end` had been applied last. `snapshot` was written by the
  // machine, and is moved. already_exists when there is a log.
  static Result<> begin_with(const Options& options, const Path& snapshot, const End& end);

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::consensus
