#include "backup/place.h"

#include <fmt/format.h>

#include "base/text.h"

namespace cc::backup {

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.find("://");
  const std::string_view scheme = text.substr(0, colon);
  std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 3);
  while (rest.ends_with('/'))
    rest.remove_suffix(1);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if ((scheme != "http" && scheme != "https") || authority.empty() ||
      rest.find_first_of("?#@ ") != std::string_view::npos) {
    return fail(Code::invalid_argument,
                fmt::format("the endpoint \"{}\" is no http://host or https://host", printable(text, 200)));
  }
  return Endpoint{.scheme = std::string(scheme),
                  .authority = std::string(authority),
                  .path = std::string(rest.substr(authority.size()))};
}

Result<Bucket> parse_bucket(std::string_view text) {
  const std::string_view name = text.substr(0, text.find('/'));
  if (name.empty()) return fail(Code::invalid_argument, "backup.storage.path is missing: the bucket, or bucket/prefix");
  std::string prefix(text.substr(std::min(name.size() + 1, text.size())));
  while (prefix.ends_with('/'))
    prefix.pop_back();
  if (!prefix.empty()) prefix += '/';
  return Bucket{.name = std::string(name), .prefix = std::move(prefix)};
}

std::string_view name_below(const Bucket& bucket, std::string_view key) {
  if (!key.starts_with(bucket.prefix)) return {};
  key.remove_prefix(bucket.prefix.size());
  return key.contains('/') ? std::string_view() : key;
}

}  // namespace cc::backup
