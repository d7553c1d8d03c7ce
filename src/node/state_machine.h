// What the log is applied to on a real node: the state, then the I/O threads.
//
// commit() makes a batch durable in SQLite, posts its events to every I/O thread, and runs the proposers' answers
// when the last of them serves the batch: so a client that reads after its own publish sees it, whichever thread
// of the node it asks.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "consensus/log.h"
#include "model/event.h"
#include "node/counters.h"
#include "state/state.h"

namespace cc::node {

// What every I/O thread is told, in order. Shared between them, immutable.
struct Message {
  std::vector<Event> events;
  std::shared_ptr<const std::vector<ReleasePtr>> everything;  // set: forget the view and load this
  std::shared_ptr<const state::Identity> identity;            // set: it has changed
  Revision revision = 0;
};
using MessagePtr = std::shared_ptr<const Message>;

// Hands a message to all I/O threads; `then` (may be empty) runs once, after the last of them has taken it.
using Broadcast = std::function<void(MessagePtr, std::move_only_function<void()> then)>;

class StateMachine final : public consensus::StateMachine {
 public:
  StateMachine(state::State& state, Counters& counters) : state_(state), counters_(counters) {}

  // From here on every change is broadcast, after everything that there is now. Any thread, once.
  Result<> go_live(Broadcast broadcast);

  Applied applied() const override;
  Result<std::string> apply(consensus::Index index, std::string_view command) override;
  Result<> commit(std::move_only_function<void()> then) override;
  void roll_back() override;
  Result<std::unique_ptr<Snapshot>> begin_snapshot() override;
  Result<> restore(std::string_view snapshot) override;
  Result<Applied> applied_of(std::string_view snapshot) const override;

 private:
  Result<> broadcast_everything();  // requires: mutex_

  state::State& state_;
  Counters& counters_;
  std::mutex mutex_;     // between go_live() and the log thread; never contended afterwards
  Broadcast broadcast_;  // guarded by mutex_; empty until go_live()
  bool behind_ = false;  // the I/O threads lack a commit: tell them everything with the next one
};

}  // namespace cc::node
