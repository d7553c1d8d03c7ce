// The way of a command through the log thread:
//
//   proposed ─► in flight ─► committed ─► applied ─► delivered ─► settled
//               the group    the group    to the     visible,     the machine's
//               writes it    has it       machine    answered     transaction has ended
//
// What is delivered is durable: the log has it. Ending a transaction costs a machine more than a batch does, so under
// load one is ended for many batches; who wants to read what the machine has written asks for it to be settled.
//
// Log thread only, but for the members that say otherwise.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "consensus/log.h"
#include "consensus/proposals.h"
#include "consensus/snapshots.h"

namespace cc::consensus {

class Pipeline {
 public:
  // `folder` is named in errors.
  Pipeline(Path folder, const Snapshots& snapshots, StateMachine& machine, Proposals& proposals,
           const Observer& observer);

  // --- in flight ---
  void sent(std::vector<Proposal> batch, Index first);  // the group writes it; the first of them has this index
  // Nobody knows whether what is in flight will be committed. This node's own, to be proposed again; others are told
  // why.
  std::vector<Proposal> take_back(const Error& why);
  std::size_t in_flight() const { return in_flight_.size(); }

  // --- from the group ---
  // A group is being opened: it will say its whole log again, from its snapshot on.
  void begin();
  // The next entry that is committed. corruption when the machine's state is not of this log.
  Result<> committed(Index index, std::string_view command);
  // The log's snapshot: taken when it is newer than the machine's state. `verified`: its file was, just now.
  Result<> restore(const SnapshotReference& reference, bool verified);
  Result<std::unique_ptr<StateMachine::Snapshot>> begin_snapshot();
  // After a group has been opened: corruption when the machine's state cannot be of a log that ends so. `all` when it
  // has said all that is committed, as a group of one does.
  Result<> belongs_to_log(Index snapshot, Index last, bool all) const;

  // --- to the machine ---
  // Applies what was committed and delivers it.
  Result<> deliver();
  // The same, and ends the transaction. After an error nothing is done until roll_back().
  Result<> commit();
  // The machine's transaction should end: nothing has come for a moment, or it is large or old.
  bool commit_is_due() const;
  static constexpr auto kQuiet = std::chrono::milliseconds(5);  // that moment
  Index applied() const { return applied_; }
  // Runs `then` once, on any thread, when everything up to `index` has been delivered; with unavailable after `until`.
  void when_delivered(Index index, Mono until, Log::Then then);
  void expire(Mono now);
  // The group has said everything up to here: what was not said is no command.
  void reached(Index index) { reached_ = std::max(reached_, index); }
  bool failed() const { return failed_; }

  // Rolls the machine back and gives up everything that was not delivered; how many proposals those were.
  std::size_t roll_back(const Error& why);

  // --- settling; any thread ---
  bool settled() const {
    return settled_.load(std::memory_order_acquire) >= delivered_.load(std::memory_order_acquire);
  }
  void when_settled(Log::Then then);
  bool somebody_wants_it_settled() const;
  void tell_settled(const Result<>& outcome);  // log thread

 private:
  struct Answered {
    Proposal proposal;
    Result<std::string> outcome;
    Index index = 0;
  };
  struct Awaiting {
    Index index;
    Mono until;
    Log::Then then;
  };
  struct Committed {
    Index index;
    std::string command;
    std::optional<Proposal> proposal;  // when it is one of ours
  };

  Result<> apply();
  Result<> unless_failed(Result<> outcome);
  std::unexpected<Error> of_another_log(std::string_view what, Index index) const;

  const Path folder_;
  const Snapshots& snapshots_;
  StateMachine& machine_;
  Proposals& proposals_;
  const Observer& observer_;

  std::deque<std::pair<Index, Proposal>> in_flight_;  // oldest first
  std::vector<Committed> committed_;
  std::size_t committed_bytes_ = 0;
  std::vector<Answered> answered_;    // applied, not delivered
  std::vector<Awaiting> awaiting_;    // a delivery
  std::size_t applied_in_batch_ = 0;  // commands, of ours and of others
  std::size_t uncommitted_ = 0;       // commands in the machine's open transaction
  std::size_t uncommitted_bytes_ = 0;
  Mono batch_began_, transaction_began_;
  Index applied_ = 0;                // by the machine, in its open transaction or before
  Index reached_ = 0;                // as applied_, counting what is no command
  StateMachine::Applied recovered_;  // where the machine was when the group was opened
  bool failed_ = false;              // the machine did: it can only be rolled back
  bool owes_delivery_ = false;       // after a failure; also when there is nothing new
  Index stumbled_at_ = 0;            // the entry that it could not apply
  bool recognised_ = false;          // the entry that the machine applied last was found in the log

  std::atomic<Index> delivered_ = 0, settled_ = 0;
  mutable std::mutex mutex_;
  std::vector<Log::Then> waiting_;  // guarded by mutex_
};

}  // namespace cc::consensus
