// The other nodes that are known to the network: whom to keep a connection to, who has connected, who is refused.
// Belongs to the network's thread.
//
// One connection to each node carries what is sent to it, one from it what it sends. Whoever wants a connection to
// this node is dialed back as long as he is connected; dialing back is no wanting, so that two nodes that were told to
// forget each other do.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "consensus/conversation.h"
#include "consensus/dialer.h"
#include "consensus/network.h"
#include "consensus/outboxes.h"
#include "consensus/strangers.h"

namespace cc::consensus {

class Acquaintances final : public Conversation::Owner {
 public:
  // What is referred to outlives it; `tasks` has ended when it dies.
  Acquaintances(asio::io_context& io, TaskGroup& tasks, Dialer& dialer, Outboxes& outboxes, Strangers& strangers,
                Greeting self, Network::Receiver& receiver, std::chrono::milliseconds timeout);
  ~Acquaintances();

  void connect_to(const std::vector<Peer>& peers);
  void introduce(Greeting self);
  // Speaks with one that has connected and proven himself, until that ends.
  Task<> welcome(std::unique_ptr<SecureChannel> channel, std::string address);

  // How this node introduces itself to that one, which it may refuse.
  Introduction introduction_to(NodeId node) const;
  Result<> accepts(const Introduction& other) const;

  void look_into_outboxes();
  void check(Mono now);  // now and then: keeps connections alive, and ends those that are not
  void stop();           // the tasks end

 private:
  struct Outgoing;

  // Conversation::Owner
  void received(Conversation& from, std::string message) override;
  Result<> introduced(Conversation& by) override;
  void refused(Conversation& by, const Error& why) override;

  void dial(const Peer& peer, bool wanted);
  void let_go(NodeId node);
  void review(NodeId node);  // whether it is to be dialed back
  void tell_everybody();
  void redial_now(NodeId node);
  Task<> keep_connected(std::shared_ptr<Outgoing> out);
  Task<bool> converse(std::shared_ptr<Outgoing> out, std::unique_ptr<SecureChannel> channel, Introduction said);
  bool report(Outgoing& out, const Error& why);
  Task<bool> taken(NodeId node, std::string instance);
  bool is_of_another_group(const Greeting& other) const;
  void mention_another_group(const Greeting& other);
  bool lives_another(NodeId node, std::string_view instance, Mono heard_since);
  Error taken_by_another(const Introduction& other);

  asio::io_context& io_;
  TaskGroup& tasks_;
  Dialer& dialer_;
  Outboxes& outboxes_;
  Strangers& strangers_;
  Greeting self_;
  Network::Receiver& receiver_;
  const std::chrono::milliseconds timeout_;
  const std::string instance_;
  bool stopping_ = false;
  Mono pinged_{};
  std::map<NodeId, std::shared_ptr<Outgoing>> outgoing_;
  std::map<NodeId, std::shared_ptr<Conversation>> incoming_;
};

}  // namespace cc::consensus
