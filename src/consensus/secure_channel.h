// A connection between two nodes that have proven to each other that they know the secret: records, sealed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/task.h"
#include "consensus/handshake.h"
#include "consensus/records.h"
#include "consensus/sealed.h"
#include "consensus/wire.h"

namespace cc::consensus {

class SecureChannel {
 public:
  // The other's introduction may hold a refusal. Errors are half a sentence about the other node:
  //   permission_denied  it has another secret: it closed the connection when it saw the proof
  //   invalid_argument   it speaks another version
  //   unavailable, timeout
  static Task<Result<std::unique_ptr<SecureChannel>>> dial(std::unique_ptr<Wire> wire, std::string secret,
                                                           Purpose purpose, Introduction self);
  // Until the other has proven itself so much is read from it as a handshake has, and nothing is kept.
  // permission_denied: it has another secret, or is a stranger. answer() must follow.
  static Task<Result<std::unique_ptr<SecureChannel>>> accept(std::unique_ptr<Wire> wire, std::string secret);
  // Introduces this node; with a refusal the channel is of no use afterwards.
  Task<Result<>> answer(const Introduction& self);

  SecureChannel(std::unique_ptr<Wire> wire, const Handshake& handshake);

  Purpose purpose() const { return purpose_; }
  Introduction& other() { return other_; }
  Wire& wire() { return *wire_; }
  Mono heard() const { return heard_; }  // when bytes came last

  Task<Result<Record>> next();
  Task<Result<>> say(RecordType type, std::string_view content);  // requires: content.size() + 5 <= kLargestPiece

  // next() and say() in parts, for those who do not want to open and seal on the network's thread. One at a time.
  Task<Result<>> receive();                // waits for bytes
  Result<std::optional<Record>> opened();  // a record, when one is whole. Any thread
  Sealer& sealer() { return sealer_; }     // Any thread

 private:
  std::unique_ptr<Wire> wire_;
  Purpose purpose_;
  std::string proof_;  // of an acceptor, until it was sent
  Sealer sealer_;
  Opener opener_;
  Introduction other_;
  Mono heard_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what was received and not opened
  RecordReader records_;
};

}  // namespace cc::consensus
