#include "http/url.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::http {
namespace {

constexpr std::string_view kPlain = "http://";
constexpr std::string_view kTls = "https://";

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

}  // namespace

std::string ServerUrl::authority() const {
  std::string out = host.contains(':') ? fmt::format("[{}]", host) : host;
  if (port != (tls ? "443" : "80")) out += ":" + port;
  return out;
}

Result<ServerUrl> parse_server_url(std::string_view text) {
  const auto refused = [text](std::string_view why) {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\" is not the url of a server: {}; it looks like http://127.0.0.1:8848", text, why));
  };
  ServerUrl url;
  std::string_view rest = text;
  if (begins_with(rest, kTls)) {
    url.tls = true;
    rest.remove_prefix(kTls.size());
  } else if (begins_with(rest, kPlain)) {
    rest.remove_prefix(kPlain.size());
  } else {
    return refused("it begins with neither http:// nor https://");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#@") != std::string_view::npos) return refused("it has more than a host and a port");
  url.port = url.tls ? "443" : "80";

  std::string_view port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    const auto bracket = rest.find(']');
    if (bracket == std::string_view::npos) return refused("the bracket of its IPv6 address is not closed");
    url.host = rest.substr(1, bracket - 1);
    port = rest.substr(bracket + 1);
    has_port = !port.empty();
    if (has_port && port.front() != ':') return refused("only a port may follow its IPv6 address");
    if (has_port) port.remove_prefix(1);
  } else {
    const auto colon = rest.find(':');
    url.host = rest.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = rest.substr(colon + 1);
  }
  if (has_port) {
    const auto number = parse_uint(port, "port");
    if (!number || *number == 0 || *number > 65535) return refused("its port is not a number from 1 to 65535");
    url.port = port;
  }
  const bool printable = std::ranges::all_of(url.host, [](char c) { return c > 0x20 && c < 0x7f; });
  if (url.host.empty() || !printable) return refused("it has no valid host");
  return url;
}

}  // namespace cc::http
