// Hashes, encodings and randomness over bytes (OpenSSL, libsodium, zlib). Nothing here fails.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cc {

std::string md5(std::string_view bytes);  // 16 raw bytes
std::string md5_hex(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
std::string sha256(std::string_view bytes);  // 32 raw bytes
// The same over many pieces.
class Digest {
 public:
  ~Digest();
  void add(std::string_view bytes);
  std::string finish();  // raw bytes; once

 protected:
  explicit Digest(const char* kind);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
class Sha256 final : public Digest {
 public:
  Sha256() : Digest("SHA256") {}
};
class Md5 final : public Digest {
 public:
  Md5() : Digest("MD5") {}
};

std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 raw bytes
std::uint32_t crc32(std::string_view bytes) noexcept;

// 128 bits under a key of this process, so that nobody can make two texts collide: for maps in memory, never kept.
struct Hash128 {
  std::uint64_t high = 0, low = 0;
  bool operator==(const Hash128&) const = default;
  struct Hasher {
    using is_avalanching = void;
    std::size_t operator()(const Hash128& hash) const noexcept { return hash.low; }
  };
};
Hash128 hash128(std::string_view bytes) noexcept;
// The same everywhere and in all versions, so it may be kept; who wants to can find two texts with one hash.
// SipHash-2-4 under a key that everybody knows.
std::uint64_t hash64(std::string_view bytes) noexcept;

std::string to_hex(std::string_view bytes);
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);
std::string to_base64url(std::string_view bytes);  // without padding
std::optional<std::string> from_base64url(std::string_view text);

// Takes the same time wherever the two differ.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

// Cryptographically secure.
std::string random_bytes(std::size_t count);
std::string random_id();                          // 26 characters, sorts by time; for request ids, key ids, token ids
std::string random_password(std::size_t length);  // letters and digits that are not mistaken for another

}  // namespace cc
