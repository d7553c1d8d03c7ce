// The url of a server: http://host[:port] or https://host[:port], and nothing behind it but a slash.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cc::http {

struct ServerUrl {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  std::string port;

  std::string authority() const;  // for the Host header: without a port that is the scheme's own
};

Result<ServerUrl> parse_server_url(std::string_view text);

}  // namespace cc::http
