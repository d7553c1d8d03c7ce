// Amazon's signature of a request, version 4, as S3 and all that speak as it does want it: the path is encoded once and
// stays as it is. Inside src/backup.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace cc::backup {

struct SigningKey {
  std::string id, secret;
  std::string token = {};  // of a session; empty: none
  std::string region;
  std::string service = "s3";
};

struct ToSign {
  std::string method;
  std::string path;                                          // encoded
  std::vector<std::pair<std::string, std::string>> query;    // not encoded
  std::vector<std::pair<std::string, std::string>> headers;  // all that are signed, with "host" and "x-amz-date"
  std::string payload_sha256;                                // hex
};

// "a=1&b=", encoded, in the order in which it is signed.
std::string query_text(std::vector<std::pair<std::string, std::string>> query);

std::string canonical_request(const ToSign& request);
// "20150830T123600Z"
std::string amazon_time(Wall time);
// The value of the header "authorization".
std::string authorization(const SigningKey& key, const ToSign& request, Wall time);

}  // namespace cc::backup
