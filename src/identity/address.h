// Addresses of clients, IPv4 and IPv6. An IPv4 address written as ::ffff:a.b.c.d is the same address.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cc::identity {

// "10.0.0.0/8", "192.168.1.7", "fd00::/8". Bits behind the prefix length must be zero.
Result<> check_address_range(std::string_view range);
bool address_in_range(std::string_view address, std::string_view range) noexcept;

// What one client can have: an IPv4 address, or the /64 of an IPv6 address, whose other half a host chooses itself.
// Texts to be compared, not shown; of what is no address, the text itself.
std::string network_of(std::string_view address);

}  // namespace cc::identity
