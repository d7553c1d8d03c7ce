#include "node/state_machine.h"

#include <utility>

namespace cc::node {
namespace {

consensus::StateMachine::Applied applied_in(const state::Position& position) {
  return {.index = position.applied, .crc = position.applied_crc};
}

class SnapshotOfState final : public consensus::StateMachine::Snapshot {
 public:
  explicit SnapshotOfState(std::unique_ptr<state::State::Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
  Result<std::string> read() override { return snapshot_->read(); }

 private:
  std::unique_ptr<state::State::Snapshot> snapshot_;
};

}  // namespace

Result<> StateMachine::go_live(Broadcast broadcast) {
  const std::lock_guard lock(mutex_);
  broadcast_ = std::move(broadcast);
  return broadcast_everything();
}

Result<> StateMachine::broadcast_everything() {
  auto message = std::make_shared<Message>();
  auto everything = std::make_shared<std::vector<ReleasePtr>>();
  TRYV(state_.load_releases([&](ReleasePtr release) { everything->push_back(std::move(release)); }));
  TRY(auto identity, state_.load_identity());
  message->everything = std::move(everything);
  message->identity = std::make_shared<state::Identity>(std::move(identity));
  message->revision = state_.position().revision;
  broadcast_(std::move(message), {});
  return {};
}

StateMachine::Applied StateMachine::applied() const {
  return applied_in(state_.position());
}

Result<std::string> StateMachine::apply(consensus::Index index, std::string_view command) {
  return state_.apply(index, command);
}

Result<> StateMachine::commit(std::move_only_function<void()> then) {
  const std::lock_guard lock(mutex_);
  TRY(state::Changes changes, state_.commit());
  if (!changes.events.empty()) {
    const std::lock_guard counting(counters_.mutex);
    for (const Event& event : changes.events) {
      auto& counts = event.release->deleted ? counters_.deletes : counters_.publishes;
      ++counts[event.release->key.environment];
    }
  }
  if (!broadcast_) {
    if (then) then();
    return {};
  }
  auto message = std::make_shared<Message>();
  message->events = std::move(changes.events);
  message->revision = changes.revision;
  if (behind_) {
    TRYV(broadcast_everything());
    behind_ = false;
  }
  if (changes.identity) {
    auto identity = state_.load_identity();
    if (!identity) {
      behind_ = true;  // committed, but the I/O threads cannot be told yet
      return fail(std::move(identity).error());
    }
    message->identity = std::make_shared<state::Identity>(std::move(*identity));
  }
  broadcast_(std::move(message), std::move(then));
  return {};
}

void StateMachine::roll_back() {
  state_.roll_back();
}

Result<std::unique_ptr<StateMachine::Snapshot>> StateMachine::begin_snapshot() {
  TRY(auto snapshot, state_.begin_snapshot());
  return std::make_unique<SnapshotOfState>(std::move(snapshot));
}

Result<> StateMachine::restore(std::string_view snapshot) {
  const std::lock_guard lock(mutex_);
  TRYV(state_.restore(snapshot));
  if (broadcast_) return broadcast_everything();
  return {};
}

Result<StateMachine::Applied> StateMachine::applied_of(std::string_view snapshot) const {
  TRY(const state::Position position, state::State::position_of(snapshot));
  return applied_in(position);
}

}  // namespace cc::node
