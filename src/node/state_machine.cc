#include "node/state_machine.h"

#include <algorithm>
#include <utility>

#include "service/directory.h"

namespace cc::node {
namespace {

consensus::StateMachine::Applied applied_in(const state::Position& position) {
  return {.index = position.applied, .crc = position.applied_crc};
}

class SnapshotOfState final : public consensus::StateMachine::Snapshot {
 public:
  explicit SnapshotOfState(std::unique_ptr<state::State::Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
  consensus::StateMachine::Applied applied() const override { return applied_in(snapshot_->position()); }
  std::uint64_t bytes() const override { return snapshot_->bytes(); }
  Result<> write(const Path& file) override { return snapshot_->write(file); }

 private:
  std::unique_ptr<state::State::Snapshot> snapshot_;
};

}  // namespace

Result<> StateMachine::go_live(Broadcast broadcast) {
  broadcast_ = std::move(broadcast);
  return broadcast_everything();
}

Result<> StateMachine::broadcast_everything() {
  behind_ = true;
  TRYV(state_.commit());  // what follows reads the file
  auto message = std::make_shared<Message>();
  auto everything = std::make_shared<std::vector<ReleasePtr>>();
  TRYV(state_.load_releases([&](ReleasePtr release) { everything->push_back(std::move(release)); }));
  TRY(message->directory, read_directory());
  message->everything = std::move(everything);
  message->revision = state_.position().revision;
  message->cluster_id = state_.position().cluster_id;
  named_ = !message->cluster_id.empty();
  broadcast_(std::move(message), {});
  behind_ = false;
  return {};
}

Result<identity::DirectoryPtr> StateMachine::read_directory() {
  TRY(state::Identity identity, state_.identity());
  directory_ = service::make_directory(std::move(identity), jwt_secret_, anonymous_read_, directory_);
  return directory_;
}

StateMachine::Applied StateMachine::applied() const {
  return applied_in(state_.position());
}

Result<std::string> StateMachine::apply(consensus::Index index, std::string_view command) {
  return state_.apply(index, command);
}

Result<> StateMachine::deliver(std::move_only_function<void()> then) {
  state::Changes changes = state_.take_changes();
  // What was delivered before a roll-back is applied again, and comes again.
  std::erase_if(changes.events, [&](const Event& event) { return event.revision <= delivered_; });
  MessagePtr message;
  if (broadcast_) {
    if (behind_) TRYV(broadcast_everything());
    TRY(message, message_of(changes));
  }
  // Nothing fails from here on. Counted before it is told: who has the answer may look at once.
  if (message && !message->cluster_id.empty()) named_ = true;
  delivered_ = std::max(delivered_, changes.revision);
  count(changes.events);
  if (message) {
    broadcast_(std::move(message), std::move(then));
  } else {
    then();
  }
  return {};
}

Result<MessagePtr> StateMachine::message_of(const state::Changes& changes) {
  auto message = std::make_shared<Message>();
  if (changes.identity) {
    TRY(message->directory, read_directory());
  } else {
    message->revoked_tokens = service::make_revoked(changes.revoked_tokens);
  }
  message->events = changes.events;
  message->revision = changes.revision;
  if (!named_) {
    TRYV(state_.commit());  // what the position says is what was committed
    message->cluster_id = state_.position().cluster_id;
  }
  return message;
}

void StateMachine::count(const std::vector<Event>& events) {
  if (events.empty()) return;
  const std::lock_guard lock(counters_.mutex);
  for (const Event& event : events) {
    auto& counts = event.release->deleted ? counters_.deletes : counters_.publishes;
    ++counts[event.release->key.environment];
  }
}

Result<> StateMachine::commit() {
  TRYV(state_.commit());
  committed_.ring();
  return {};
}

void StateMachine::roll_back() {
  state_.roll_back();
}

Result<std::unique_ptr<StateMachine::Snapshot>> StateMachine::begin_snapshot() {
  TRY(auto snapshot, state_.begin_snapshot());
  return std::make_unique<SnapshotOfState>(std::move(snapshot));
}

Result<> StateMachine::restore(const Path& file) {
  TRYV(state_.restore(file));
  committed_.ring();
  delivered_ = state_.position().revision;
  if (broadcast_) return broadcast_everything();
  return {};
}

}  // namespace cc::node
