// Bytes on their way between two nodes, sealed in pieces (libsodium's secretstream, XChaCha20-Poly1305): what is
// altered, left out, repeated, or put into another order is noticed before any of it is used.
//
//   header (24 bytes, once)  { length (4 bytes, little-endian)  sealed piece }…
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "consensus/handshake.h"

struct crypto_secretstream_xchacha20poly1305_state;

namespace cc::consensus {

inline constexpr std::size_t kLargestPiece = 64u << 10;                // before it is sealed
inline constexpr std::size_t kLargestSealed = kLargestPiece + 17 + 4;  // after

class Sealer {
 public:
  explicit Sealer(SessionKey key);
  ~Sealer();
  Sealer(Sealer&&) noexcept;
  Sealer& operator=(Sealer&&) noexcept;

  // Appends `piece`, sealed. requires: piece.size() <= kLargestPiece
  void seal(std::string_view piece, std::string& to);

 private:
  using State = crypto_secretstream_xchacha20poly1305_state;
  std::unique_ptr<State> state_;
  std::string header_;  // until it was written
};

class Opener {
 public:
  explicit Opener(SessionKey key);
  ~Opener();
  Opener(Opener&&) noexcept;
  Opener& operator=(Opener&&) noexcept;

  // Opens all pieces that are whole in `bytes`, appends them to `to`, and takes them away from the front of `bytes`.
  // False when they are not what was sealed: nothing more can be opened then.
  [[nodiscard]] bool open(std::string_view& bytes, std::string& to);

 private:
  using State = crypto_secretstream_xchacha20poly1305_state;
  SessionKey key_;
  std::unique_ptr<State> state_;  // once there was a header
  bool broken_ = false;
};

}  // namespace cc::consensus
