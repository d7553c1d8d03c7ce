#include "deploy/listening.h"

#include <arpa/inet.h>

#include <array>

#include <fmt/format.h>

#include "base/host_port.h"
#include "deploy/file_text.h"

namespace cc::deploy {

bool is_ip_address(std::string_view address) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  const std::string text(address);
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

std::string reached_at(const Host& host) {
  return is_ip_address(host.address) ? host.address : "127.0.0.1";
}

std::string listen_on(const Host& host, Port port) {
  return host_and_port(is_ip_address(host.address) ? std::string_view(host.address) : std::string_view(), port);
}

RenderedFile start_with_network(std::string_view unit) {
  return {.path = fmt::format("/etc/systemd/system/{}.service.d/config-center.conf", unit),
          .content = written_by(fmt::format("Own settings: systemctl edit {}", unit)) +
                     "[Unit]\n"
                     "# It listens on an address of this host, which may come late when the host starts.\n"
                     "Wants=network-online.target\n"
                     "After=network-online.target\n"};
}

}  // namespace cc::deploy
