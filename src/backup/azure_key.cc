#include "backup/azure_key.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/bytes.h"

namespace cc::backup {
namespace {

constexpr std::array<std::string_view, 11> kHeaders = {
    "content-encoding",  "content-language", "content-length", "content-md5",         "content-type", "date",
    "if-modified-since", "if-match",         "if-none-match",  "if-unmodified-since", "range"};

}  // namespace

std::string azure_string_to_sign(const AzureRequest& request, std::string_view account) {
  std::string out = request.method + "\n";
  for (const std::string_view name : kHeaders) {
    const auto found =
        std::ranges::find(request.headers, name, [](const auto& each) { return std::string_view(each.first); });
    if (found != request.headers.end()) out += found->second;
    if (name == "content-length" && request.body_bytes > 0) out += std::to_string(request.body_bytes);
    out += '\n';
  }
  auto headers = request.headers;
  std::erase_if(headers, [](const auto& each) { return !each.first.starts_with("x-ms-"); });
  std::ranges::sort(headers);
  for (const auto& [name, value] : headers)
    out += fmt::format("{}:{}\n", name, value);
  out += fmt::format("/{}{}", account, request.path);
  auto query = request.query;
  std::ranges::sort(query);
  for (const auto& [name, value] : query)
    out += fmt::format("\n{}:{}", name, value);
  return out;
}

std::string azure_authorization(const AzureRequest& request, std::string_view account, std::string_view key) {
  return fmt::format("SharedKey {}:{}", account, to_base64(hmac_sha256(key, azure_string_to_sign(request, account))));
}

}  // namespace cc::backup
