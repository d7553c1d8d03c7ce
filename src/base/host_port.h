// host:port, as people write where something listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cc {

struct HostAndPort {
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 0;
};

// host:port, or [host]:port when there are colons in the host; invalid_argument, which says so, for anything else.
Result<HostAndPort> parse_host_and_port(std::string_view text);
// The other way round.
std::string host_and_port(std::string_view host, std::uint16_t port);

}  // namespace cc
