#include "consensus/acquaintances.h"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "consensus/say.h"

namespace cc::consensus {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstDelay{50}, kLongestDelay{1000}, kDelayWhenRefused{5000};
constexpr milliseconds kPatienceWithDialing{100};  // before another attempt is better than waiting for this one
constexpr std::chrono::seconds kFarewell{2};
constexpr std::chrono::minutes kComplaint{1};
constexpr int kPings = 4;    // within the timeout
constexpr int kSilence = 4;  // times the timeout: whoever sends nothing at all for so long is gone

Mono now() {
  return Mono::clock::now();
}

Task<> wait_for(asio::steady_timer& timer) {
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// Why `refuses` wants nothing of `refused`.
Error another_group(const Greeting& refuses, const Greeting& refused) {
  return {
      Code::conflict,
      fmt::format("node {} at {} belongs to another group ({}) than node {} ({}): correct raft.peers; or, to make node "
                  "{} a member of that group, start it with an empty data folder",
                  refuses.node, refuses.address, refuses.group, refused.node, refused.group, refused.node)};
}

}  // namespace

struct Acquaintances::Outgoing {
  Outgoing(asio::io_context& io, const Peer& peer, bool wanted_) : dialed(peer), wanted(wanted_), pause(io) {}
  NodeId node() const { return dialed.peer.id; }

  Dialed dialed;
  bool wanted;  // else: dialed back
  bool over = false;
  bool at_once = false;  // dial again without a pause
  asio::steady_timer pause;
  milliseconds delay = kFirstDelay;
  Mono began{};         // to dial
  Mono complained{};    // that it cannot be reached
  unsigned denied = 0;  // in a row
  std::shared_ptr<Conversation> conversation;
};

Acquaintances::Acquaintances(asio::io_context& io, TaskGroup& tasks, Dialer& dialer, Outboxes& outboxes,
                             Strangers& strangers, Greeting self, Network::Receiver& receiver, milliseconds timeout)
    : io_(io),
      tasks_(tasks),
      dialer_(dialer),
      outboxes_(outboxes),
      strangers_(strangers),
      self_(std::move(self)),
      receiver_(receiver),
      timeout_(timeout),
      instance_(to_hex(random_bytes(16))) {}

Acquaintances::~Acquaintances() = default;

// --- whom to know ---

void Acquaintances::connect_to(const std::vector<Peer>& peers) {
  for (const auto& [node, out] : std::map(outgoing_)) {
    const auto still = std::ranges::find(peers, node, &Peer::id);
    out->wanted = still != peers.end();
    if (out->wanted && still->address != out->dialed.peer.address) let_go(node);
    review(node);
  }
  for (const Peer& peer : peers) {
    if (peer.id == self_.node) continue;
    const auto known = outgoing_.find(peer.id);
    if (known != outgoing_.end() && known->second->wanted) continue;
    if (known != outgoing_.end()) let_go(peer.id);
    dial(peer, true);
  }
  tell_everybody();
}

void Acquaintances::introduce(Greeting self) {
  self_ = std::move(self);
  for (const auto& [node, conversation] : incoming_) {
    if (auto fine = accepts(conversation->other()); !fine) conversation->refuse(fine.error());
  }
  for (const auto& [node, out] : outgoing_) {
    if (!out->conversation) continue;
    if (auto fine = accepts(out->conversation->other()); !fine) out->conversation->refuse(fine.error());
  }
  tell_everybody();
}

void Acquaintances::tell_everybody() {
  for (const auto& [node, conversation] : incoming_)
    conversation->introduce(introduction_to(node));
  for (const auto& [node, out] : outgoing_) {
    if (out->conversation) out->conversation->introduce(introduction_to(node));
  }
}

void Acquaintances::dial(const Peer& peer, bool wanted) {
  const auto out = std::make_shared<Outgoing>(io_, peer, wanted);
  outgoing_[peer.id] = out;
  tasks_.spawn("keep a connection to a node", keep_connected(out));
}

void Acquaintances::let_go(NodeId node) {
  const auto found = outgoing_.find(node);
  if (found == outgoing_.end()) return;
  const auto out = std::move(found->second);
  outgoing_.erase(found);
  out->over = true;
  out->pause.cancel();
  out->dialed.hang_up();
  if (out->conversation) out->conversation->end();
}

void Acquaintances::review(NodeId node) {
  const auto out = outgoing_.find(node);
  if (out != outgoing_.end() && out->second->wanted) return;
  const auto in = incoming_.find(node);
  const bool wants_us = in != incoming_.end() && in->second->other().wanted && !in->second->ended();
  const std::string address = wants_us ? in->second->other().greeting.address : "";
  if (out != outgoing_.end() && out->second->dialed.peer.address != address) let_go(node);
  if (!address.empty() && !outgoing_.contains(node)) dial({node, address}, false);
}

void Acquaintances::redial_now(NodeId node) {
  const auto found = outgoing_.find(node);
  if (found == outgoing_.end() || found->second->conversation) return;
  Outgoing& out = *found->second;
  out.at_once = true;
  out.delay = kFirstDelay;
  out.pause.cancel();
  if (now() - out.began > kPatienceWithDialing) out.dialed.hang_up();
}

// --- who is who ---

Introduction Acquaintances::introduction_to(NodeId node) const {
  const auto out = outgoing_.find(node);
  return {.greeting = self_,
          .instance = instance_,
          .wanted = out != outgoing_.end() && out->second->wanted,
          .refusal = std::nullopt};
}

Result<> Acquaintances::accepts(const Introduction& other) const {
  const std::string us = name_of({self_.node, self_.address});
  if (other.instance == instance_) {
    return fail(Code::conflict, fmt::format("the address of another node leads {} to itself: correct the addresses of "
                                            "the nodes in raft.peers",
                                            us));
  }
  if (other.greeting.node == self_.node) {
    return fail(Code::conflict,
                fmt::format("{} runs already, and this is another one with the same raft.node_id: give each node of a "
                            "group a number of its own",
                            us));
  }
  if (is_of_another_group(other.greeting)) return fail(another_group(self_, other.greeting));
  return {};
}

bool Acquaintances::is_of_another_group(const Greeting& other) const {
  return !other.group.empty() && !self_.group.empty() && other.group != self_.group;
}

bool Acquaintances::lives_another(NodeId node, std::string_view instance, Mono heard_since) {
  const auto is_another = [&](const std::shared_ptr<Conversation>& one) {
    return one && !one->ended() && one->other().instance != instance && one->heard() >= heard_since;
  };
  const auto in = incoming_.find(node);
  const auto out = outgoing_.find(node);
  return (in != incoming_.end() && is_another(in->second)) ||
         (out != outgoing_.end() && is_another(out->second->conversation));
}

// Whether another process runs under this node id. One that was killed may not have been missed yet: only who says
// something while he is watched is there.
Task<bool> Acquaintances::taken(NodeId node, std::string instance) {
  const Mono until = now() + timeout_;
  asio::steady_timer timer(io_);
  while (!stopping_ && lives_another(node, instance, Mono::min())) {
    if (now() >= until) co_return lives_another(node, instance, until - timeout_ / 2);
    timer.expires_after(timeout_ / (4 * kPings));
    co_await wait_for(timer);
  }
  co_return false;
}

Error Acquaintances::taken_by_another(const Introduction& other) {
  const NodeId node = other.greeting.node;
  const auto in = incoming_.find(node);
  const auto out = outgoing_.find(node);
  const Conversation* const one = in != incoming_.end() ? in->second.get() : nullptr;
  const std::string where = one != nullptr           ? in->second->other().greeting.address
                            : out != outgoing_.end() ? out->second->dialed.peer.address
                                                     : "another address";
  return {Code::conflict,
          fmt::format("raft.node_id {} is taken: a node with it runs at {} and is connected to {}; give "
                      "each node of a group a number of its own, or stop one of the two",
                      node, where, name_of({self_.node, self_.address}))};
}

// Either of the two may be the one that is wrong: both are told.
void Acquaintances::mention_another_group(const Greeting& other) {
  if (is_of_another_group(other)) receiver_.refused({other.node, other.address}, another_group(other, self_));
}

// --- who connects ---

Task<> Acquaintances::welcome(std::unique_ptr<SecureChannel> channel, std::string address) {
  const NodeId node = channel->other().greeting.node;
  channel->wire().limit(now() + timeout_ + kFarewell);
  Introduction self = introduction_to(node);
  if (auto fine = accepts(channel->other()); !fine) {
    self.refusal = std::move(fine).error();
    mention_another_group(channel->other().greeting);
  } else if (co_await taken(node, channel->other().instance)) {
    self.refusal = taken_by_another(channel->other());
  }
  if (stopping_ || !co_await channel->answer(self)) co_return;
  if (self.refusal) {
    strangers_.complain(address, self.refusal->message, now());
    co_await channel->wire().linger(kFarewell);
    co_return;
  }
  channel->wire().limit(std::nullopt);

  const auto conversation =
      std::make_shared<Conversation>(io_, std::move(channel), std::move(self), *this, outboxes_, nullptr);
  // What its former connection still holds must not come after what it sends now.
  if (const auto former = incoming_.find(node); former != incoming_.end()) former->second->end();
  incoming_[node] = conversation;
  const auto out = outgoing_.find(node);
  if (out != outgoing_.end() && out->second->conversation &&
      out->second->conversation->other().instance != conversation->other().instance) {
    out->second->conversation->end();
    out->second->at_once = true;
  }
  if (!stopping_) receiver_.met(conversation->other().greeting);
  review(node);
  redial_now(node);
  conversation->introduce(introduction_to(node));
  tasks_.spawn("speak to a node that connected", Conversation::speak(conversation));
  co_await Conversation::listen(conversation);
  log.debug("a node's connection ended", {{"node", node}, {"address", address}, {"reason", conversation->why()}});
  if (const auto still = incoming_.find(node); still != incoming_.end() && still->second == conversation) {
    incoming_.erase(still);
    if (!stopping_) review(node);
  }
}

// --- who is connected to ---

Task<> Acquaintances::keep_connected(std::shared_ptr<Outgoing> out) {
  while (!out->over && !stopping_) {
    out->began = now();
    out->at_once = false;
    Introduction said = introduction_to(out->node());
    auto channel = co_await dialer_.dial(out->dialed, Purpose::messages, said);
    if (out->over || stopping_) break;
    bool refused = false;
    if (channel) {
      out->denied = 0;
      out->delay = kFirstDelay;
      refused = co_await converse(out, *std::move(channel), std::move(said));
      out->began = now();
    } else if (!out->at_once) {
      refused = report(*out, channel.error());
    }
    if (out->at_once) continue;
    out->pause.expires_at(out->began + (refused ? kDelayWhenRefused : out->delay));
    out->delay = std::min(2 * out->delay, kLongestDelay);
    if (!out->over && !stopping_) co_await wait_for(out->pause);
  }
}

// Why it was not reached. True when it does not want to be.
bool Acquaintances::report(Outgoing& out, const Error& why) {
  const bool unreachable = why.code == Code::unavailable || why.code == Code::timeout;
  out.denied = unreachable ? 0 : out.denied + 1;
  if (unreachable && now() - out.complained >= kComplaint) {
    out.complained = now();
    log.warn("cannot connect to a node", {{"error", why}});
  }
  // A node that ends between two steps of the handshake looks as if it did not like what it was told; but not twice.
  if (unreachable || (why.code == Code::permission_denied && out.denied < 2)) return false;
  receiver_.refused(out.dialed.peer, why);
  return true;
}

// Until the connection ends. True when one of the two refuses the other.
Task<bool> Acquaintances::converse(std::shared_ptr<Outgoing> out, std::unique_ptr<SecureChannel> channel,
                                   Introduction said) {
  const Peer& peer = out->dialed.peer;
  const Introduction& other = channel->other();
  if (other.refusal) {
    receiver_.refused({other.greeting.node, peer.address}, *other.refusal);
    co_return true;
  }
  if (other.greeting.node != peer.id) {
    receiver_.refused(peer, {Code::not_found, fmt::format("at {} is node {}, not node {}: correct the addresses of the "
                                                          "nodes",
                                                          peer.address, other.greeting.node, peer.id)});
    co_return true;
  }
  auto fine = accepts(other);
  if (fine && co_await taken(peer.id, other.instance)) fine = fail(taken_by_another(other));
  if (out->over || stopping_) co_return false;

  const auto outbox = fine ? outboxes_.open(peer.id) : nullptr;
  const auto conversation =
      std::make_shared<Conversation>(io_, std::move(channel), std::move(said), *this, outboxes_, outbox);
  tasks_.spawn("speak to a node", Conversation::speak(conversation));
  if (!fine) {
    mention_another_group(other.greeting);
    conversation->refuse(fine.error());
    co_await Conversation::listen(conversation);
    co_return true;
  }
  out->conversation = conversation;
  // Its former self, if it was started anew.
  if (const auto in = incoming_.find(peer.id);
      in != incoming_.end() && in->second->other().instance != conversation->other().instance) {
    in->second->end();
  }
  out->complained = {};
  log.info("connected to a node", {{"node", peer.id}, {"address", peer.address}});
  receiver_.met(conversation->other().greeting);
  conversation->introduce(introduction_to(peer.id));
  co_await Conversation::listen(conversation);

  outboxes_.close(peer.id, outbox);
  out->conversation.reset();
  if (stopping_) co_return false;
  const auto newer = outgoing_.find(peer.id);
  if (newer == outgoing_.end() || !newer->second->conversation) {
    log.info("lost the connection to a node",
             {{"node", peer.id}, {"address", peer.address}, {"reason", conversation->why()}});
    receiver_.lost(peer.id);
  }
  co_return conversation->was_refused();
}

// --- Conversation::Owner ---

void Acquaintances::received(Conversation& from, std::string message) {
  if (!stopping_) receiver_.received(from.node(), std::move(message));
}

Result<> Acquaintances::introduced(Conversation& by) {
  if (stopping_) return {};
  TRYV(accepts(by.other()));
  receiver_.met(by.other().greeting);
  review(by.node());
  return {};
}

void Acquaintances::refused(Conversation& by, const Error& why) {
  if (!stopping_) receiver_.refused({by.node(), by.other().greeting.address}, why);
}

// --- all of them ---

void Acquaintances::look_into_outboxes() {
  for (const auto& [node, out] : outgoing_) {
    if (out->conversation) out->conversation->wake();
  }
}

void Acquaintances::check(Mono at) {
  if (at - pinged_ >= timeout_ / kPings) {
    pinged_ = at;
    for (const auto& [node, out] : outgoing_) {
      if (out->conversation) out->conversation->ping();
    }
  }
  for (const auto& [node, conversation] : incoming_)
    conversation->end_if_silent_for(kSilence * timeout_, at);
}

void Acquaintances::stop() {
  stopping_ = true;
  for (const auto& [node, out] : outgoing_) {
    out->pause.cancel();
    out->dialed.hang_up();
  }
}

}  // namespace cc::consensus
