// This node's membership of the Raft group: the algorithm over a folder.
//
// Everything here happens on the log thread, on one uv loop, except Snapshot::write. When anything fails
// the owner closes the group and opens another one; a group is never used again after a failure.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consensus/folder.h"
#include "consensus/frame.h"
#include "consensus/log.h"
#include "consensus/proposals.h"
#include "consensus/raft.h"
#include "consensus/snapshots.h"
#include "consensus/storage.h"

namespace cc::consensus {

class Group final : public Raft::Port, public Storage::Owner {
 public:
  // Called on the log thread. An error that is returned ends the group: close() it.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual Result<> apply(Index index, std::string_view command) = 0;
    virtual Result<std::unique_ptr<StateMachine::Snapshot>> begin_snapshot() = 0;
    virtual Result<> restore(const SnapshotReference& reference, bool verified) = 0;
    virtual void failed(Error why) = 0;  // close me, soon
    virtual void snapshot_taken() = 0;
    virtual void written(std::chrono::nanoseconds took) = 0;  // a batch of entries, on this node's disk
    virtual void send(NodeId to, const Message& message) = 0;
    // Fetches the snapshot's file from a node; answers by Group::fetched().
    virtual void fetch(const Peer& from, const SnapshotReference& reference, const Path& into) = 0;
    virtual void closed() = 0;  // the answer to close(): the group may be destroyed in the next turn
  };

  Group(uv_loop_t& loop, const Options& options, const Folder& folder, Snapshots& snapshots, Owner& owner);
  Group(const Group&) = delete;

  // Reads what is on disk and, in a group of one, applies all of it. On an error close() it. Where there is no log it
  // is empty(), which only a `fresh` machine allows.
  Result<> open(bool fresh);
  // Makes the log of a new group. requires: empty()
  Result<> form(const Members& members);
  void close();  // Owner::closed() follows

  // --- what happens ---
  void tick();
  void receive(NodeId from, Message message);
  void met(NodeId node);
  void fetched(const Path& into, Result<> how);
  // Asks to be taken in, whoever leads. requires: empty()
  void ask_for_admission(NodeId of);
  // Before the loop waits, each time: does what waited for something else; ends a close().
  void check();
  // After everything else: sends and writes.
  void flush();

  // --- what is asked of a leader ---
  // Writes commands to the log as one batch; the first one gets the index that is returned. Owner::apply follows for
  // each, unless this node stops leading before. requires: takes_proposals()
  Index append(const std::vector<Proposal>& batch);
  bool takes_proposals() const;
  Result<Index> change(const Change& change);
  std::vector<NodeId> heirs() const;
  Result<> transfer(NodeId to);
  bool transferring() const { return raft_->transferring(); }
  std::uint64_t begin_round() { return raft_->begin_round(); }
  std::uint64_t confirmed() const { return raft_->confirmed(); }
  Index read_index() const { return raft_->read_index(); }

  // Asks for a snapshot. False: not now, ask again after the next turn.
  bool take_snapshot();

  // --- how it is ---
  Role role() const { return raft_ && !closing_ ? raft_->role() : Role::unavailable; }
  bool only_voter() const { return raft_->only_voter(); }
  // It has no log yet, and no say in anything: a leader must take it in, or it forms a group.
  bool empty() const { return empty_; }
  bool formed() const { return raft_->last() > 1; }
  bool stale() const;
  NodeId leader() const { return raft_->leader(); }
  Term term() const { return raft_->term(); }
  Index last() const { return raft_->last(); }
  Index commit() const { return raft_->commit(); }
  Index applied() const { return applied_; }  // given to the owner
  const Members& members() const { return raft_->members(); }
  bool change_pending() const { return raft_->change_pending(); }
  bool hears_of(NodeId node) const;  // as the leader
  void fill(Status& status) const;

 private:
  struct Taking {  // a snapshot on its way to disk
    std::unique_ptr<StateMachine::Snapshot> source;
    std::optional<Result<SnapshotReference>> written;
    SnapshotPoint point;
    std::uint64_t bytes_applied = 0;
    unsigned keep = 1;
  };
  struct Installing {  // a snapshot of the leader's on its way here
    SnapshotPoint point;
    SnapshotReference reference;
    Path beside;       // where it comes
    Result<> verdict;  // whether what has come is what the leader says: a worker's, until it is done
    bool sound = false;
    bool putting = false;
  };

  // Raft::Port
  Result<> store(Term term, NodeId vote) override { return storage_->store(term, vote); }
  Result<> truncate(Index from) override { return storage_->truncate(from); }
  void send(NodeId to, const Message& message) override { owner_.send(to, message); }
  std::string reference() const override { return reference_; }
  void install(NodeId from, const Message& message) override;
  // Storage::Owner
  void appended(Result<> how, std::chrono::nanoseconds took) override;
  void snapshot_put(Result<> how) override;
  void storage_closed() override;

  void need(Result<> outcome);
  Result<> load();
  void take(NodeId from, Message message);
  void take_held();
  void apply();
  void write();
  void begin_snapshot();
  void snapshot_written();
  void end_snapshot(Result<> how);
  void fetched_and_verified();
  void put_fetched();
  Result<> installed();
  bool may_be_told(const Message& message) const;
  unsigned entries_worth_keeping() const;
  std::uint64_t bytes_between_snapshots() const;
  bool snapshot_is_due() const;

  uv_loop_t& loop_;
  const Options& options_;
  const Folder& folder_;
  Snapshots& snapshots_;
  Owner& owner_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<Raft> raft_;
  std::string reference_;  // to the newest snapshot
  bool closing_ = false;
  std::optional<Error> broken_;
  std::deque<std::pair<NodeId, Message>> held_;  // until nothing is being written
  Index applied_ = 0;

  bool empty_ = false;
  std::uint64_t life_ = 0;  // of an empty folder: tells an old answer
  Index writing_upto_ = 0;

  std::unique_ptr<Taking> taking_;
  std::optional<Installing> installing_;
  bool snapshot_wanted_ = false;
  std::uint64_t bytes_applied_ = 0, bytes_at_snapshot_ = 0;
  std::uint64_t snapshot_size_ = 0;  // of the last one
};

}  // namespace cc::consensus
