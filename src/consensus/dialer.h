// Connects to other nodes. Belongs to the network's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/task.h"
#include "consensus/log.h"
#include "consensus/secure_channel.h"

namespace cc::consensus {

// Whom to dial, and what is remembered of the last time. Outlives dial().
struct Dialed {
  explicit Dialed(Peer peer_) : peer(std::move(peer_)) {}
  void hang_up();  // ends a dial() that goes on

  const Peer peer;
  std::vector<asio::ip::tcp::endpoint> endpoints;  // of its host name
  std::size_t next = 0;                            // to try; after the last the name is looked up again
  std::shared_ptr<asio::ip::tcp::resolver> looking_up;
  Wire* wire = nullptr;
};

class Dialer {
 public:
  // `tls` may be null, and become another. What is referred to outlives it.
  Dialer(asio::io_context& io, Wires& wires, const TlsContextPtr& tls, std::string secret,
         std::chrono::milliseconds timeout);

  // unavailable, timeout: not reached. Others: it will not talk to this node. Messages are whole sentences.
  Task<Result<std::unique_ptr<SecureChannel>>> dial(Dialed& whom, Purpose purpose, Introduction self);

 private:
  Task<Result<asio::ip::tcp::endpoint>> look_up(Dialed& whom);
  Task<Result<std::unique_ptr<SecureChannel>>> try_to(Dialed& whom, Purpose purpose, Introduction self);

  asio::io_context& io_;
  Wires& wires_;
  const TlsContextPtr& tls_;
  const std::string secret_;
  const std::chrono::milliseconds timeout_;
};

// "node 2 at 10.0.0.2:7848"
std::string name_of(const Peer& peer);

}  // namespace cc::consensus
