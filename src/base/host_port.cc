#include "base/host_port.h"

#include <fmt/format.h>

#include "base/text.h"

namespace cc {

Result<HostAndPort> parse_host_and_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon == std::string_view::npos ? 0 : colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto port = parse_uint(text.substr(colon == std::string_view::npos ? text.size() : colon + 1), "");
  if (host.empty() || (!bracketed && host.contains(':')) || !port || *port > 65535) {
    return fail(Code::invalid_argument, fmt::format("\"{}\" is not host:port", printable(text, 200)));
  }
  return HostAndPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

std::string host_and_port(std::string_view host, std::uint16_t port) {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace cc
