// This node's membership of the Raft group: one open instance of libraft over a folder.
//
// Everything here happens on the log thread, on one uv loop, except Snapshot::read. When anything fails
// the owner closes the group and opens another one; a group is never used again after a failure.
//
// libraft 0.15 is handled with care in four places, each found by reading it:
//  * it says that it has closed while some of its handles have not, and may say so twice: close() waits for
//    all of them before it lets libraft free anything.
//  * only one request to append is given to it at a time: when two writes fail it cuts its log twice and
//    corrupts its memory. What arrives meanwhile goes into the next one, so nothing is lost by that.
//  * its "auto recovery" is off: it sets damaged segments aside and goes on without the entries in them.
//  * the number of entries it keeps after a snapshot also has a limit in bytes, since it keeps them in memory.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "consensus/folder.h"
#include "consensus/frame.h"
#include "consensus/log.h"
#include "consensus/raft_api.h"
#include "consensus/snapshots.h"
#include "consensus/transport.h"

namespace cc::consensus {

class Group {
 public:
  // Called on the log thread. An error that is returned ends the group: close() it.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual Result<> apply(Index index, std::string_view command) = 0;
    virtual Result<std::unique_ptr<StateMachine::Snapshot>> begin_snapshot() = 0;
    virtual Result<> restore(const SnapshotReference& reference) = 0;
    virtual void not_appended(Error why) = 0;  // of the last append(); the outcome is unknown
    virtual void failed(Error why) = 0;        // close me, soon
    virtual void snapshot_taken() = 0;
    virtual void closed() = 0;  // the answer to close(): the group may be destroyed in the next turn
  };

  Group(uv_loop_t& loop, const Options& options, const Folder& folder, Snapshots& snapshots, Owner& owner);
  Group(const Group&) = delete;
  ~Group();  // requires: never opened, or closed

  // Reads what is on disk and, in a group of one, applies all of it. On an error close() it.
  // `fresh` allows a new log to be made where there is none.
  Result<> open(bool fresh);
  void close();  // Owner::closed() follows

  // Writes frames to the log as one batch; the first one gets the index that is returned. unavailable when this
  // node does not lead. Owner::apply follows for each, or Owner::not_appended for all that were not applied.
  // requires: !busy()
  Result<Index> append(std::span<Frame> frames);
  bool busy() const { return appending_ || barrier_pending_; }
  // Before the loop waits, each time: ends a close(), and notices that libraft has given up, or that this node stopped
  // leading with a batch half committed.
  void check();

  // Asks for a snapshot. False: not now, ask again after the next turn.
  bool take_snapshot();

  Role role() const;
  bool only_voter() const;
  Index last() const;
  void fill(Status& status) const;

 private:
  struct Callbacks;
  struct Taking {  // a snapshot on its way to disk
    std::unique_ptr<StateMachine::Snapshot> source;
    std::optional<Result<SnapshotReference>> written;
    std::string reference;  // encoded, as libraft is given it
    raft_buffer buffer{};
    std::uint64_t bytes_applied = 0;
  };

  Error failure(int code, std::string_view doing) const;
  Result<> bootstrap();
  int apply(const raft_buffer& entry);
  int begin_snapshot();
  int read_snapshot(raft_buffer** buffers, unsigned* count);
  void end_snapshot();
  int restore(raft_buffer& file);
  unsigned entries_worth_keeping() const;
  std::uint64_t bytes_between_snapshots() const;
  void reset_threshold();

  uv_loop_t& loop_;
  const Options& options_;
  const Folder& folder_;
  Snapshots& snapshots_;
  Owner& owner_;
  std::unique_ptr<Transport> transport_;
  raft_io io_{};
  raft_fsm machine_{};
  raft raft_{};
  void (*close_io_)(raft_io*, raft_io_close_cb) = nullptr;  // libraft's own
  raft_io_close_cb io_closed_ = nullptr;                    // whom to tell
  bool io_silent_ = false;
  struct raft_apply apply_request_{};
  struct raft_barrier barrier_request_{};
  bool io_made_ = false;    // raft_uv_init() done
  bool raft_made_ = false;  // raft_init() done, so raft_close() is needed
  bool closing_ = false;
  bool appending_ = false;
  bool barrier_pending_ = false;
  Index appended_last_ = 0;      // index of the last entry of the batch in flight
  std::optional<Error> broken_;  // why a callback refused
  std::unique_ptr<Taking> taking_;
  std::uint64_t bytes_applied_ = 0, bytes_at_snapshot_ = 0;
  std::uint64_t snapshot_size_ = 0;  // of the last one
};

}  // namespace cc::consensus
