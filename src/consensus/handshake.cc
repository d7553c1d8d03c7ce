#include "consensus/handshake.h"

#include <algorithm>
#include <utility>

#include <sodium.h>

#include "base/bytes.h"
#include "base/little_endian.h"

namespace cc::consensus {
namespace {

constexpr std::string_view kMagic = "cc-nodes";
constexpr std::size_t kPurposeAt = Handshake::kPrefixSize, kKeyAt = Handshake::kHelloSize - 32;
static_assert(kMagic.size() + sizeof kProtocolVersion == Handshake::kPrefixSize);
static_assert(crypto_scalarmult_BYTES == 32 && crypto_scalarmult_SCALARBYTES == 32);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hello_with(Purpose purpose, const std::array<unsigned char, 32>& one_time_key) {
  std::string hello(Handshake::kHelloSize, '\0');
  std::ranges::copy(kMagic, hello.begin());
  put_little_endian(hello.data() + kMagic.size(), kProtocolVersion);
  hello[kPurposeAt] = static_cast<char>(purpose);
  crypto_scalarmult_base(reinterpret_cast<unsigned char*>(hello.data() + kKeyAt), one_time_key.data());
  return hello;
}

}  // namespace

Handshake::Handshake(Side side, std::string secret, Purpose purpose)
    : side_(side), secret_(std::move(secret)), purpose_(purpose) {
  std::ranges::copy(random_bytes(one_time_key_.size()), one_time_key_.begin());
  our_hello_ = hello_with(purpose_, one_time_key_);
}

Handshake::~Handshake() {
  sodium_memzero(one_time_key_.data(), one_time_key_.size());
  sodium_memzero(secret_.data(), secret_.size());
  sodium_memzero(master_.data(), master_.size());
}

Handshake::Prefix Handshake::look_at(std::string_view prefix) {
  if (prefix.size() < kPrefixSize || !prefix.starts_with(kMagic)) return Prefix::foreign;
  return version_in(prefix) == kProtocolVersion ? Prefix::ours : Prefix::other_version;
}

std::uint16_t Handshake::version_in(std::string_view prefix) {
  return get_little_endian<std::uint16_t>(prefix.substr(kMagic.size()));
}

bool Handshake::take(std::string_view hello) {
  if (hello.size() != kHelloSize || look_at(hello) != Prefix::ours) return false;
  const auto theirs = static_cast<Purpose>(hello[kPurposeAt]);
  if (theirs != Purpose::messages && theirs != Purpose::file) return false;
  if (side_ == Side::dialer && theirs != purpose_) return false;
  purpose_ = theirs;
  our_hello_[kPurposeAt] = static_cast<char>(purpose_);

  std::string shared(crypto_scalarmult_BYTES, '\0');
  // Refuses keys with which everybody would know the result.
  if (crypto_scalarmult(reinterpret_cast<unsigned char*>(shared.data()), one_time_key_.data(),
                        bytes_of(hello.substr(kKeyAt))) != 0) {
    return false;
  }
  const bool dialer = side_ == Side::dialer;
  std::string both(dialer ? std::string_view(our_hello_) : hello);
  both += dialer ? hello : std::string_view(our_hello_);
  master_ = hmac_sha256(secret_, "config-center nodes " + shared + sha256(both));
  sodium_memzero(shared.data(), shared.size());
  return true;
}

std::string Handshake::proof_of(Side side) const {
  return hmac_sha256(master_, side == Side::dialer ? "proof of the dialer" : "proof of the acceptor");
}

bool Handshake::proves(std::string_view theirs) const {
  return equal_in_constant_time(theirs, proof_of(other()));
}

SessionKey Handshake::key_of(Side side) const {
  std::string bytes = hmac_sha256(master_, side == Side::dialer ? "key of the dialer" : "key of the acceptor");
  SessionKey key{};
  std::ranges::copy(bytes, key.begin());
  sodium_memzero(bytes.data(), bytes.size());
  return key;
}

}  // namespace cc::consensus
