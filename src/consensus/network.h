// How the nodes of a group reach each other: messages of bytes, and files. Whoever does not know the group's secret
// neither speaks nor listens here, and nobody on the way can read or change what is said.
//
// A message arrives once and whole, or not at all; those of one sender arrive in the order in which they were sent.
// Nothing is sent again: who needs that sends it again.
//
// What is protected, and how, over TCP (handshake.h, sealed.h):
//   who speaks       Both sides of a connection prove to know the secret, by an HMAC-SHA256 over one-time keys of both,
//                    before anything else that comes is looked at; the one who connects first. Nothing recorded, and
//                    nothing of one connection, is of use in another. Any node that knows the secret is believed to be
//                    the node that it says it is.
//   what is said     Sealed (XChaCha20-Poly1305) under keys that are made for each connection and direction of the
//                    secret and an X25519 exchange. Nobody can read it, also not who learns the secret later; what was
//                    altered, left out, repeated or put into another order ends the connection. How much is said, and
//                    when, can be seen.
//   the node itself  Until somebody has proven himself he can hold one of 64 places, for two seconds, and send 76
//                    bytes that are kept nowhere. He is told nothing that depends on the secret.
//   against guessing Only who takes the place of a node that is dialed gets something to try out secrets with, by
//                    himself: 32 random characters cannot be tried out.
//   TLS              When certificates are given, all that is inside TLS 1.2 or 1.3, and each side must show one that
//                    the CA has signed: a second key, that differs from node to node and can expire. The names in
//                    the certificates are not compared with anything.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
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
  std::uint64_t version = 0;  // of what nodes say to each other in messages: for the receiver to judge
};

class Network {
 public:
  // Called on a thread of the network's, one call at a time; must not wait.
  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual void received(NodeId from, std::string message) = 0;
    // A node that knows the secret was met: it connected, or was connected to, or says something new of itself. From
    // then on send() may reach it.
    virtual void met(const Greeting& greeting) = 0;
    // It could be sent to, and cannot for now.
    virtual void lost(NodeId node) = 0;
    // The other node will not talk to this one, and says why; it is asked again every five seconds.
    //   conflict           another group (both are told), a node id that is taken
    //   not_found          the address leads to another node
    //   permission_denied  another secret, a certificate that is not trusted
    //   invalid_argument   another version of the protocol
    //
    // Only a conflict is what a node that knows the secret said. The others could also be done to this node by somebody
    // on the way.
    virtual void refused(const Peer& by, const Error& why) = 0;
  };

  virtual ~Network() = default;  // ends everything and waits for it; nothing is called afterwards

  // Any thread. Whom to keep a connection to; others are let go, but for those who keep one to this node: these are
  // dialed back, as is whoever connects. This node itself may be among them.
  virtual void connect_to(std::vector<Peer> peers) = 0;
  // Any thread. What this node says of itself from now on; nodes that were met are told.
  virtual void introduce(Greeting self) = 0;
  // Any thread; costs little, and does not wait. Dropped when the node is not connected, or 64 MiB or 65,536 messages
  // wait for it to take them. At most 160 MiB.
  virtual void send(NodeId to, std::string message) = 0;
  // Any thread. Fetches the file `name` from the folder that the other node offers, to the new file `into`, which is
  // synced; runs `then` once on the thread on which the receiver is called, at the latest when the network ends. On an
  // error there is no such file. not_found: there is none; already_exists: there is `into`; timeout: it got no further
  // for four times the timeout.
  virtual void fetch(const Peer& from, std::string name, Path into, std::move_only_function<void(Result<>)> then) = 0;
  // Any thread. Reads the TLS files again, for connections that are made from now on. On an error the old ones stay.
  virtual Result<> reload_tls() = 0;
  // Any thread. Until when the certificate is valid that this node shows; nothing without TLS.
  virtual std::optional<Wall> certificate_expires() const = 0;
};

struct NetworkOptions {
  std::string listen;                                    // host:port
  std::string secret;                                    // at least 32 random characters
  Path tls_certificate_file, tls_key_file, tls_ca_file;  // all three or none
  Path files;  // the folder that is offered; only plain files whose names are 1 to 20 digits
  // After which a node that does not acknowledge bytes is lost. How long connecting may take.
  std::chrono::milliseconds timeout{1000};
};

// Over TCP, on a thread of its own. Starts to listen at once: unavailable when the address cannot be used,
// invalid_argument when a TLS file is of no use or there is no secret. `receiver` outlives the network. While the
// system looks a host name up, ending the network takes as long as that.
Result<std::unique_ptr<Network>> listen_on_tcp(NetworkOptions options, Greeting self, Network::Receiver& receiver);

}  // namespace cc::consensus
