// How two nodes prove to each other that they know the group's secret, and the keys under which they speak then.
// No I/O here: secure_channel.h carries it out.
//
//   dialer                                              acceptor
//   hello: version, purpose, one-time public key   ──►
//                                                  ◄──  hello: the same of its own
//   proof                                          ──►  has told nothing yet that depends on the secret
//                                                  ◄──  proof
//
// Everything has a fixed size. A proof is an HMAC-SHA256 under a key that is made of the secret, of what only the two
// know by their one-time keys (X25519), and of a hash of both hellos; the dialer's differs from the acceptor's. So
// nothing that was recorded can be used again, nothing can be passed off as the other side's, who listens cannot try
// out secrets, and who learns the secret later cannot read what was said before. Only whoever is dialed, in the place
// of a node, gets something to try out secrets with: the secret must be long.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace cc::consensus {

inline constexpr std::uint16_t kProtocolVersion = 1;

enum class Purpose : std::uint8_t { messages = 1, file = 2 };
enum class Side { dialer, acceptor };

using SessionKey = std::array<unsigned char, 32>;

class Handshake {
 public:
  static constexpr std::size_t kPrefixSize = 10;  // magic and version: the same in all versions
  static constexpr std::size_t kHelloSize = 44, kProofSize = 32;

  // The purpose is the dialer's to choose.
  Handshake(Side side, std::string secret, Purpose purpose = Purpose::messages);
  ~Handshake();
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  enum class Prefix { ours, other_version, foreign };
  static Prefix look_at(std::string_view prefix);
  static std::uint16_t version_in(std::string_view prefix);

  // requires, of an acceptor: take() was true
  const std::string& hello() const { return our_hello_; }
  // The other's hello; false when it is none.
  bool take(std::string_view hello);
  Purpose purpose() const { return purpose_; }

  // requires for all below: take() was true
  std::string proof() const { return proof_of(side_); }
  bool proves(std::string_view theirs) const;  // in constant time
  SessionKey sending_key() const { return key_of(side_); }
  SessionKey receiving_key() const { return key_of(other()); }

 private:
  Side other() const { return side_ == Side::dialer ? Side::acceptor : Side::dialer; }
  std::string proof_of(Side side) const;
  SessionKey key_of(Side side) const;

  const Side side_;
  std::string secret_;
  Purpose purpose_;
  std::array<unsigned char, 32> one_time_key_{};
  std::string our_hello_;
  std::string master_;  // what both have in common
};

}  // namespace cc::consensus
