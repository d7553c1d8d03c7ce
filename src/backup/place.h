// Where in an object store: its endpoint, and a bucket with a prefix. Inside src/backup.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cc::backup {

struct Endpoint {
  std::string scheme, authority;  // "https", "host:9000"
  std::string path;               // "" or "/account"

  std::string url() const { return scheme + "://" + authority + path; }
};
// http://… or https://…; invalid_argument for anything else.
Result<Endpoint> parse_endpoint(std::string_view text);

struct Bucket {
  std::string name;
  std::string prefix;  // "" or "what/ever/"
};
// "bucket" or "bucket/what/ever".
Result<Bucket> parse_bucket(std::string_view text);

// The name that follows a bucket's prefix, empty when it is of another prefix, or further below.
std::string_view name_below(const Bucket& bucket, std::string_view key);

}  // namespace cc::backup
