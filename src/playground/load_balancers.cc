#include <fmt/format.h>

#include "deploy/load_balancer.h"
#include "playground/part.h"

namespace cc::playground {
namespace {

std::string servers(const Site& site) {
  std::string lines;
  for (unsigned number = 1; number <= site.layout.nodes; ++number) {
    const std::string name = numbered("node", number);
    lines += fmt::format("    server {} {}\n", name, site.address(name));
  }
  return lines;
}

// As in an installation (deploy/load_balancer.cc), less what protects that one from the outside.
std::string settings(const Site& site, const std::string& name) {
  return fmt::format(
      R"(global
    log stdout format raw local0 notice
    # No more files than a machine of somebody's permits.
    fd-hard-limit 4000
    nbthread 1

defaults
    log global
    mode http
    option dontlognull
    option dontlog-normal
    timeout connect 2s
    timeout check 2s
    timeout http-request 10s
    timeout http-keep-alive 1m
    # Longer than the longest wait for a change, five minutes.
    timeout client 6m
    timeout server 6m

frontend config_center
    bind {address}
    option forwardfor
    # With an id of its own a change that is sent once more is made once, on whichever node.
    http-request set-header X-Request-Id %[uuid()] unless {{ req.hdr(X-Request-Id) -m found }}
    default_backend {backend}

backend {backend}
    # Long polls differ in length: the node that has the fewest gets the next.
    balance leastconn
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host config-center
    http-check expect status 200
    default-server check inter 1s fastinter 500ms fall 2 rise 2
{servers}
frontend statistics
    bind {statistics}
    no log
    http-request use-service prometheus-exporter if {{ path {metrics} }}
    stats enable
    stats uri {page}
    stats refresh 10s
)",
      fmt::arg("address", site.address(name)), fmt::arg("backend", deploy::kBalancerBackend),
      fmt::arg("servers", servers(site)), fmt::arg("statistics", site.address(name + ".statistics")),
      fmt::arg("metrics", deploy::kBalancerMetricsPath), fmt::arg("page", deploy::kStatisticsPath));
}

}  // namespace

Part load_balancers(const Site& site) {
  Part part;
  for (unsigned number = 1; number <= kBalancers; ++number) {
    const std::string name = numbered("haproxy", number);
    const Path folder = site.folder / name, file = folder / "haproxy.cfg";
    part.files.push_back({.path = file, .content = settings(site, name)});
    Component balancer{.name = name,
                       .arguments = {site.programs.path("haproxy"), "-db", "-f", file.string()},
                       .folder = folder,
                       .port = site.port(name),
                       .readiness = Answers{site.port(name), "/readyz"}};
    for (unsigned node = 1; node <= site.layout.nodes; ++node)
      balancer.needs.push_back(numbered("node", node));
    part.components.push_back(std::move(balancer));
  }
  return part;
}

}  // namespace cc::playground
