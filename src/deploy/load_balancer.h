// What others must know of the load balancer to watch it and to take nodes out of it: names in the files that
// load_balancer_files() writes. A node is there under the name of its host.
#pragma once

#include <string_view>

namespace cc::deploy {

inline constexpr std::string_view kBalancerBackend = "nodes";
inline constexpr std::string_view kBalancerSocket =
    "/run/haproxy/admin.sock";  // HAProxy's runtime API; root and haproxy
inline constexpr std::string_view kStatisticsPath = "/stats", kStatisticsUser = "admin";  // on stats_port
inline constexpr std::string_view kBalancerMetricsPath = "/metrics";                      // there too, for anybody

}  // namespace cc::deploy
