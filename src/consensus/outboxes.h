// What is to be sent to each node that is connected, put there by any thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "consensus/log.h"

namespace cc::consensus {

class Outboxes {
 public:
  // For one node there waits no more than this; a message is still taken below it, whatever its size.
  static constexpr std::size_t kMostBytes = 64u << 20, kMostMessages = 65536;

  // Of one connection.
  class Outbox {
    friend class Outboxes;
    std::vector<std::string> waiting;
    std::size_t bytes = 0, messages = 0;  // not yet sent
  };

  // Any thread. Dropped when there is no outbox for the node, or it is full. True when the network's thread must be
  // woken: it has not looked since.
  bool put(NodeId to, std::string message);

  // The network's thread.
  void looked();
  std::shared_ptr<Outbox> open(NodeId node);  // instead of the one that was
  void close(NodeId node, const std::shared_ptr<Outbox>& outbox);
  void take(Outbox& outbox, std::vector<std::string>& to);  // `to` is empty
  void sent(Outbox& outbox, std::size_t bytes, std::size_t messages);

 private:
  std::mutex mutex_;
  bool something_new_ = false;  // guarded by mutex_, as what follows and the outboxes
  std::map<NodeId, std::shared_ptr<Outbox>> outboxes_;
};

}  // namespace cc::consensus
