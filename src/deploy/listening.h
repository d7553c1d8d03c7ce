// Where the programs of a host listen, and how that stands in their files.
#pragma once

#include <string>
#include <string_view>

#include "deploy/rendering.h"

namespace cc::deploy {

bool is_ip_address(std::string_view address);

// The address of the host alone, since most of these programs let in whoever reaches them. A name is another matter: on
// the host itself it may well be that of the loopback interface, so everything is listened on then (":9090").
std::string listen_on(const Host& host, Port port);

// Where the host itself reaches such a program.
std::string reached_at(const Host& host);

// Has a service of systemd start once the addresses are there that it listens on. `unit` without ".service".
RenderedFile start_with_network(std::string_view unit);

}  // namespace cc::deploy
