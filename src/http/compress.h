// Content codings of answers. The ETag stays what the handler gave: it names the published content, not its encoding,
// so that what was read compressed can be used in If-Match; `Vary: Accept-Encoding` keeps caches right.
#pragma once

#include <string_view>

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

// Adds Vary, and encodes the body when that pays: a type that compresses, at least 1 KiB and at most 4 MiB, and
// smaller afterwards.
void compress(Response& response, Coding coding);

// The bytes in that coding; "" when the library fails. For tests and for compress().
std::string encode(std::string_view bytes, Coding coding);

}  // namespace cc::http
