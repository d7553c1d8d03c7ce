#include "backup/sigv4.h"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"

namespace cc::backup {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// Without what surrounds it, and runs of spaces as one.
std::string collapsed(std::string_view value) {
  std::string out;
  for (const char c : trim(value)) {
    if (c != ' ' || !out.ends_with(' ')) out.push_back(c);
  }
  return out;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// By name, in lower case; values of one name stay in their order.
Fields canonical_headers(const Fields& headers) {
  Fields out;
  out.reserve(headers.size());
  for (const auto& [name, value] : headers) {
    std::string small = name;
    std::ranges::transform(small, small.begin(), &lower);
    const auto same = std::ranges::find(out, small, [](const auto& each) { return each.first; });
    if (same != out.end()) {
      same->second += "," + collapsed(value);
    } else {
      out.emplace_back(std::move(small), collapsed(value));
    }
  }
  std::ranges::sort(out);
  return out;
}

std::string names_of(const Fields& headers) {
  std::string out;
  for (const auto& [name, value] : headers)
    out += (out.empty() ? "" : ";") + name;
  return out;
}

}  // namespace

std::string query_text(Fields query) {
  for (auto& [name, value] : query) {
    name = percent_encode(name);
    value = percent_encode(value);
  }
  std::ranges::sort(query);
  std::string out;
  for (const auto& [name, value] : query)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

std::string canonical_request(const ToSign& request) {
  const Fields headers = canonical_headers(request.headers);
  std::string out = fmt::format("{}\n{}\n{}\n", request.method, request.path, query_text(request.query));
  for (const auto& [name, value] : headers)
    out += fmt::format("{}:{}\n", name, value);
  return out + fmt::format("\n{}\n{}", names_of(headers), request.payload_sha256);
}

std::string amazon_time(Wall time) {
  return fmt::format("{:%Y%m%dT%H%M%SZ}", std::chrono::floor<std::chrono::seconds>(time));
}

std::string authorization(const SigningKey& key, const ToSign& request, Wall time) {
  const std::string at = amazon_time(time), day = at.substr(0, at.find('T'));
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, key.region, key.service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, at, scope, sha256_hex(canonical_request(request)));
  std::string signing = "AWS4" + key.secret;
  for (const std::string_view part : {std::string_view(day), std::string_view(key.region),
                                      std::string_view(key.service), std::string_view("aws4_request")})
    signing = hmac_sha256(signing, part);
  return fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm, key.id, scope,
                     names_of(canonical_headers(request.headers)), to_hex(hmac_sha256(signing, to_sign)));
}

}  // namespace cc::backup
