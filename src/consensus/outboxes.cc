#include "consensus/outboxes.h"

#include <utility>

namespace cc::consensus {

bool Outboxes::put(NodeId to, std::string message) {
  const std::lock_guard lock(mutex_);
  const auto found = outboxes_.find(to);
  if (found == outboxes_.end()) return false;
  Outbox& outbox = *found->second;
  if (outbox.bytes >= kMostBytes || outbox.messages >= kMostMessages) return false;
  outbox.bytes += message.size();
  ++outbox.messages;
  outbox.waiting.push_back(std::move(message));
  return !std::exchange(something_new_, true);
}

void Outboxes::looked() {
  const std::lock_guard lock(mutex_);
  something_new_ = false;
}

std::shared_ptr<Outboxes::Outbox> Outboxes::open(NodeId node) {
  auto outbox = std::make_shared<Outbox>();
  const std::lock_guard lock(mutex_);
  outboxes_[node] = outbox;
  return outbox;
}

void Outboxes::close(NodeId node, const std::shared_ptr<Outbox>& outbox) {
  const std::lock_guard lock(mutex_);
  const auto found = outboxes_.find(node);
  if (found != outboxes_.end() && found->second == outbox) outboxes_.erase(found);
}

void Outboxes::take(Outbox& outbox, std::vector<std::string>& to) {
  const std::lock_guard lock(mutex_);
  to.swap(outbox.waiting);
}

void Outboxes::sent(Outbox& outbox, std::size_t bytes, std::size_t messages) {
  const std::lock_guard lock(mutex_);
  outbox.bytes -= bytes;
  outbox.messages -= messages;
}

}  // namespace cc::consensus
