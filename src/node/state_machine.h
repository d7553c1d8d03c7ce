// What the log is applied to on a real node: the state, then the I/O threads.
//
// Log thread only.
//
// deliver() posts the events of a batch to every I/O thread, and runs the proposers' answers when the last of them
// serves the batch: so a client that reads after its own publish sees it, whichever thread of the node it asks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bell.h"
#include "consensus/log.h"
#include "identity/directory.h"
#include "model/event.h"
#include "node/counters.h"
#include "state/state.h"

namespace cc::node {

// What every I/O thread is told, in order. Shared between them, immutable.
struct Message {
  std::vector<Event> events;
  std::shared_ptr<const std::vector<ReleasePtr>> everything;  // set: forget the view and load this
  identity::DirectoryPtr directory;                           // set: it has changed
  identity::RevokedTokens revoked_tokens;                     // since the newest directory
  Revision revision = 0;
  std::string cluster_id;  // set: the state is of this cluster, and may be served
};
using MessagePtr = std::shared_ptr<const Message>;

// Hands a message to all I/O threads; `then` (may be empty) runs once, after the last of them has taken it.
using Broadcast = std::function<void(MessagePtr, std::move_only_function<void()> then)>;

class StateMachine final : public consensus::StateMachine {
 public:
  // `jwt_secret` and `anonymous_read` as in the settings. `committed` rings when the state's file has something new.
  StateMachine(state::State& state, Counters& counters, Bell& committed, std::string jwt_secret, bool anonymous_read)
      : state_(state),
        counters_(counters),
        committed_(committed),
        jwt_secret_(std::move(jwt_secret)),
        anonymous_read_(anonymous_read) {}

  // From here on every change is broadcast, after everything that there is now, which is nothing as long as there is no
  // cluster. Once, on the log thread, when the log has settled.
  Result<> go_live(Broadcast broadcast);

  Applied applied() const override;
  std::string group() const override { return state_.position().cluster_id; }
  Result<std::string> apply(consensus::Index index, std::string_view command) override;
  Result<> deliver(std::move_only_function<void()> then) override;
  Result<> commit() override;
  void roll_back() override;
  Result<std::unique_ptr<Snapshot>> begin_snapshot() override;
  Result<> restore(const Path& file) override;

 private:
  Result<> broadcast_everything();
  Result<MessagePtr> message_of(const state::Changes& changes);
  Result<identity::DirectoryPtr> read_directory();
  void count(const std::vector<Event>& events);

  state::State& state_;
  Counters& counters_;
  Bell& committed_;
  std::string jwt_secret_;
  bool anonymous_read_;
  Broadcast broadcast_;  // empty until go_live()
  identity::DirectoryPtr directory_;
  Revision delivered_ = 0;  // the newest
  bool behind_ = false;     // the I/O threads lack something: they are told everything next
  bool named_ = false;      // the I/O threads know the cluster
};

}  // namespace cc::node
