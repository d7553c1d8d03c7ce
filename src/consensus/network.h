// How the nodes of a group reach each other: messages of bytes, and files. Whoever does not know the group's secret
// neither speaks nor listens here, and nobody on the way can read or change what is said.
//
// A message arrives once and whole, or not at all; those of one sender arrive in the order in which they were sent.
// Nothing is sent again: who needs that sends it again.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "consensus/log.h"

namespace cc::consensus {

// What a node says of itself to each node that it meets.
struct Greeting {
  NodeId node = 0;
  std::string address;        // where the others reach it
  std::string group;          // StateMachine::group()
  bool formed = false;        // it has a log of a group that has committed something
  std::string founders;       // of a group that is not formed: who is to be in it
  std::uint64_t version = 0;  // of what nodes say to each other
};

class Network {
 public:
  // Called on a thread of the network's, one call at a time; must not wait.
  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual void received(NodeId from, std::string message) = 0;
    // A node that knows the secret was met: it connected, or was connected to. From then on send() may reach it.
    virtual void met(const Greeting& greeting) = 0;
    // Nothing can be sent to it for now.
    virtual void lost(NodeId node) = 0;
    // The other node will not talk to this one, and says why: conflict (another group, a node id that is taken),
    // permission_denied (another secret).
    virtual void refused(const Peer& by, const Error& why) = 0;
  };

  virtual ~Network() = default;  // ends everything and waits for it; nothing is called afterwards

  // Any thread. Whom to keep a connection to; others are let go.
  virtual void connect_to(std::vector<Peer> peers) = 0;
  // Any thread. What this node says of itself from now on; nodes that were met are told.
  virtual void introduce(Greeting self) = 0;
  // Any thread. Dropped when the node is not connected, or does not take what it was sent.
  virtual void send(NodeId to, std::string message) = 0;
  // Any thread. Fetches the file `name` from the folder that the other node offers, to the new file `into`, which is
  // synced; runs `then` once on a thread of the network's. On an error there is no such file.
  virtual void fetch(const Peer& from, std::string name, Path into, std::move_only_function<void(Result<>)> then) = 0;
};

struct NetworkOptions {
  std::string listen;  // host:port
  std::string secret;
  Path tls_certificate_file, tls_key_file, tls_ca_file;
  Path files;                               // the folder that is offered; only plain files whose names are digits
  std::chrono::milliseconds timeout{1000};  // after which a node that does not acknowledge bytes is lost
};

// Over TCP. Starts to listen at once: unavailable when the address cannot be used, invalid_argument when a TLS file
// is of no use. `receiver` outlives the network.
Result<std::unique_ptr<Network>> listen_on_tcp(NetworkOptions options, Greeting self, Network::Receiver& receiver);

}  // namespace cc::consensus
