// Content codings of answers. The ETag stays what the handler gave: it names the published content, not its encoding,
// so that what was read compressed can be used in If-Match; `Vary: Accept-Encoding` keeps caches right.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "http/exchange.h"

namespace cc::http {

enum class Coding : unsigned char { identity, gzip, zstd };

// What a client accepts, as its Accept-Encoding fields say.
class Accepted {
 public:
  void add(std::string_view field_value);
  // The coding to use; zstd before gzip when the client likes both alike.
  Coding best() const;

 private:
  // Weights in thousandths, -1: not named.
  short gzip_ = -1, zstd_ = -1, identity_ = -1, any_ = -1;
};

// Encodes the bodies of answers, and remembers those of shared bodies: published content is read again and again, and
// encoding it takes several times as long as answering. Not thread-safe.
class Encodings {
 public:
  // Adds Vary, and encodes the body when that pays: a type that compresses, 1 KiB to 1 MiB, and smaller afterwards.
  void apply(Response& response, Coding coding);
  std::size_t remembered() const { return known_.size(); }

 private:
  struct Key {
    const void* bytes;
    std::size_t size;
    Coding coding;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<const void*>{}(key.bytes) ^ (key.size << 2) ^ static_cast<std::size_t>(key.coding);
    }
  };
  struct Encoded {
    std::weak_ptr<const void> of;                // whose memory it is: dead when that may be something else by now
    std::shared_ptr<const std::string> content;  // null: it does not pay
  };
  void remember(const Key& key, Encoded encoded);

  std::unordered_map<Key, Encoded, Hash> known_;
  std::size_t size_ = 0;  // bytes of all contents
};

// The bytes in that coding; "" when the library fails.
std::string encode(std::string_view bytes, Coding coding);

}  // namespace cc::http
