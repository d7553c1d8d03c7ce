// The signature of a request to Azure's Blob Storage with an account's shared key (version 2015-02-21 and later).
// Inside src/backup.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cc::backup {

struct AzureRequest {
  std::string method;
  std::string path;                                          // encoded, with the endpoint's own
  std::vector<std::pair<std::string, std::string>> query;    // not encoded
  std::vector<std::pair<std::string, std::string>> headers;  // all of them, names in lower case
  std::uint64_t body_bytes = 0;
};

std::string azure_string_to_sign(const AzureRequest& request, std::string_view account);
// The value of the header "authorization"; `key`: 64 bytes, no longer in Base64.
std::string azure_authorization(const AzureRequest& request, std::string_view account, std::string_view key);

}  // namespace cc::backup
