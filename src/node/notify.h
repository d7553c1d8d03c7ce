// Tells systemd how the service is (sd_notify's protocol: one datagram to $NOTIFY_SOCKET); does nothing without it.
#pragma once

#include <string_view>

namespace cc::node {

void notify_supervisor(std::string_view state);  // "READY=1", "STOPPING=1", "RELOADING=1"

}  // namespace cc::node
