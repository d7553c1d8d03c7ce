#include "deploy/load_balancer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/host_port.h"
#include "deploy/file_text.h"
#include "deploy/rendering.h"

namespace cc::deploy {
namespace {

// Clients that wait for a change hold a connection each, and HAProxy needs two files for each connection. How many it
// takes is left to it to find out: it refuses to start with a maxconn for which its limit is too low, which its own
// check of the configuration does not notice, and in a container the limit may be lower than what systemd was told.
constexpr unsigned kConnections = 50'000;
constexpr unsigned kFiles = 2 * kConnections + 4'000;

constexpr std::string_view kCheckScript = "/usr/libexec/config-center/check_haproxy";
// Where Debian's exporter of the host looks for metrics of others.
constexpr std::string_view kExportedFiles = "/var/lib/prometheus/node-exporter";
constexpr std::string_view kAlivePath = "/alive";

// All addresses of the host, so that the virtual one need not be there yet.
std::string everywhere(Port port, const Host& host, const LoadBalancer& balancer) {
  const bool ipv6 = host.address.contains(':') || balancer.virtual_address.contains(':');
  return ipv6 ? fmt::format("[::]:{} v4v6", port) : fmt::format(":{}", port);
}

std::string servers(const Topology& topology) {
  std::string lines;
  for (const std::string& name : topology.app.hosts)
    lines += fmt::format("    server {} {}\n", name, host_and_port(topology.host(name).address, topology.app.port));
  return lines;
}

std::string haproxy_cfg(const Topology& topology, const Secrets& secrets, const Host& host) {
  const LoadBalancer& balancer = *topology.load_balancer;
  return fmt::format(
      R"({written_by}#
# Take a node out and back by hand, on every load balancer:
#     echo "set server {backend}/{first} state drain" | socat stdio {socket}     (and: state ready)

global
    # No chroot: there is no /dev/log in one.
    log /dev/log local0
    user haproxy
    group haproxy
    stats socket {socket} mode 660 level admin expose-fd listeners
    stats timeout 30s
    # No maxconn: as many as the limit of open files allows, LimitNOFILE of the service.
    # After a reload the old process ends when its long polls are over.
    # Never close-spread-time: it gives connections that wait for their next request random moments at which they are
    # closed, and with that request a change would be lost, whatever idle-close-on-response says.
    hard-stop-after 6m

defaults
    log global
    mode http
    option dontlognull
    # Reads by the thousand say nothing, and who changed what is in the audit: only what went wrong is logged.
    option dontlog-normal
    # After a reload a connection that waits for its next request still gets that answered; it is told then that it ends.
    option idle-close-on-response
    timeout connect 2s
    timeout check 2s
    timeout http-request 10s
    timeout http-keep-alive 1m
    timeout client-fin 30s
    # Longer than the longest wait for a change, five minutes. Event streams say something every 15 seconds.
    timeout client 6m
    timeout server 6m

frontend config_center
    bind {bind}
    option httplog
    option forwardfor
    # The id is the same when a client's request goes to another node.
    http-request set-header X-Request-Id %[uuid()] unless {{ req.hdr(X-Request-Id) -m found }}
    # A change is not sent again by us: its client does, under the same id, and knows that it did.
    http-request disable-l7-retry if !{{ method GET HEAD OPTIONS }}
    # To the nodes all clients have our address, and an address with many wrong passwords is locked out. So whoever fails
    # more than ten times in ten minutes (an IPv6 client: its /64) has to wait, and nobody else.
    stick-table type ipv6 size 100k expire 10m store http_err_rate(10m)
    acl login path /v1/login
    http-request track-sc0 src,ipmask(32,64) if login
    http-request deny deny_status 429 hdr Retry-After 600 if login {{ sc_http_err_rate(0) gt 10 }}
    default_backend {backend}

backend {backend}
    # Long polls differ in length: the node that has the fewest gets the next.
    balance leastconn
    http-reuse safe
    retries 3
    option redispatch 1
    # Never response-timeout: a long poll that is over would begin anew.
    retry-on conn-failure empty-response
    # A node that is going to stop answers 503 for server.drain (2 s) before it does; this notices within 1.5 s. It gets
    # no new requests then, and what it has goes on: so there is no on-marked-down shutdown-sessions, and no
    # disable-on-404, since it never answers 404.
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host config-center
    http-check expect status 200
    default-server check inter 1s fastinter 500ms fall 2 rise 2 slowstart 10s
{servers}
frontend statistics
    bind {stats_bind}
    no log
    http-request return status 200 content-type text/plain string "alive" if {{ path {alive} }}
    http-request use-service prometheus-exporter if {{ path {metrics} }}
    stats enable
    stats uri {stats}
    stats refresh 10s
    stats realm {name}
    stats auth {user}:{password}
)",
      fmt::arg("written_by",
               written_by("Own settings go into components.load_balancer of topology.yaml; own frontends into files of "
                          "a folder that HAProxy reads\n# as well: EXTRAOPTS=\"-S /run/haproxy-master.sock -f "
                          "/etc/haproxy/conf.d\" in /etc/default/haproxy.")),
      fmt::arg("backend", kBalancerBackend), fmt::arg("first", topology.app.hosts.front()),
      fmt::arg("socket", kBalancerSocket), fmt::arg("bind", everywhere(balancer.port, host, balancer)),
      fmt::arg("servers", servers(topology)), fmt::arg("stats_bind", everywhere(balancer.stats_port, host, balancer)),
      fmt::arg("alive", kAlivePath), fmt::arg("metrics", kBalancerMetricsPath), fmt::arg("stats", kStatisticsPath),
      fmt::arg("name", topology.name), fmt::arg("user", kStatisticsUser), fmt::arg("password", secrets.statistics));
}

std::string haproxy_limits() {
  return written_by("Own settings: systemctl edit haproxy") + fmt::format(
                                                                  R"([Service]
# Two for each of {} connections, and some.
LimitNOFILE={}
)",
                                                                  kConnections, kFiles);
}

std::string check_script(const LoadBalancer& balancer) {
  return fmt::format(
      R"script(#!/bin/bash
{written_by}# keepalived asks this every second: does HAProxy answer? Whether it reaches nodes plays no part: when no node is
# there, the other load balancer has none either, and "503" at once is a better answer than none.
# The exporter of the host, where there is one, tells Prometheus whether the virtual address is here.
if cd {folder} 2> /dev/null; then
  umask 022  # keepalived's lets nobody else read
  held=0
  [[ -z "$(ip -o address show to {address})" ]] || held=1
  echo 'config_center_virtual_address_held{{address="{address}"}}' "$held" > config-center.prom.new && mv config-center.prom.new config-center.prom
fi
exec 3<>/dev/tcp/127.0.0.1/{port} || exit 1
printf 'GET {alive} HTTP/1.0\r\n\r\n' >&3
IFS= read -r -t 1 answer <&3
[[ "$answer" == "HTTP/"*" 200 "* ]]
)script",
      fmt::arg("written_by", written_by("There are no settings.")), fmt::arg("folder", kExportedFiles),
      fmt::arg("address", balancer.virtual_address.substr(0, balancer.virtual_address.find('/'))),
      fmt::arg("port", balancer.stats_port), fmt::arg("alive", kAlivePath));
}

std::string keepalived_conf(const Topology& topology, const Secrets& secrets, const Host& host) {
  const LoadBalancer& balancer = *topology.load_balancer;
  std::string peers;
  unsigned priority = 100;
  for (auto name = balancer.hosts.rbegin(); *name != host.name; ++name)
    priority += 10;
  for (const std::string& name : balancer.hosts)
    if (name != host.name) peers += fmt::format("        {}\n", topology.host(name).address);
  return written_by("Own settings go into components.load_balancer of topology.yaml.") +
         fmt::format(
             R"(
global_defs {{
    router_id {name}
    enable_script_security
    # With any other user keepalived 2.2 passes its own check (keepalived -t) and ends it with a signal.
    script_user root
    # Who has missed that the address moved hears of it again.
    vrrp_garp_master_refresh 60
    # Not to be raised to a real-time priority by itself, and not to warn of it.
    max_auto_priority -1
}}

# Who does not answer any more gives the address up, whatever the priorities are (weight 0). No vrrp_track_process: where
# the kernel tells nothing of processes, as in a container, it holds HAProxy for dead for ever.
vrrp_script haproxy_answers {{
    script "{script}"
    interval 1
    timeout 2
    fall 2
    rise 2
    weight 0
    init_fail
}}

vrrp_instance config_center {{
    # All begin so, and nopreempt: the address moves when it must, and not a second time when the first holder is back.
    # Of those that begin together the one with the highest priority takes it.
    state BACKUP
    nopreempt
    priority {priority}
    interface {interface}
    virtual_router_id {router_id}
    advert_int 1
    # To each other's addresses: many networks carry no multicast. Firewalls must let IP protocol 112 through.
    unicast_src_ip {address}
    unicast_peer {{
{peers}    }}
    authentication {{
        auth_type PASS
        auth_pass {password}
    }}
    virtual_ipaddress {{
        {virtual_address} dev {interface}
    }}
    track_script {{
        haproxy_answers
    }}
}}
)",
             fmt::arg("name", host.name), fmt::arg("script", kCheckScript), fmt::arg("priority", priority),
             fmt::arg("interface", balancer.interface), fmt::arg("router_id", balancer.router_id),
             fmt::arg("address", host.address), fmt::arg("peers", peers), fmt::arg("password", secrets.vrrp),
             fmt::arg("virtual_address", balancer.virtual_address));
}

std::string keepalived_restarts() {
  return written_by("Own settings: systemctl edit keepalived") +
         "[Service]\n"
         "# One that died would leave the address where it is, and the other one would take it as well.\n"
         "Restart=always\n"
         "RestartSec=1s\n";
}

}  // namespace

RenderedFiles load_balancer_files(const Topology& topology, const Secrets& secrets, const Host& host) {
  const auto& balancer = topology.load_balancer;
  if (!balancer || !is_among(host.name, balancer->hosts)) return {};
  RenderedFiles files{{.path = "/etc/systemd/system/haproxy.service.d/config-center.conf", .content = haproxy_limits()},
                      {.path = "/etc/haproxy/haproxy.cfg",
                       .content = haproxy_cfg(topology, secrets, host),
                       .mode = 0640,
                       .owner = "haproxy",
                       .secret = true,  // the password of the statistics
                       .validator = "haproxy -c -f {}"}};
  if (balancer->virtual_address.empty()) return files;
  files.push_back(
      {.path = "/etc/systemd/system/keepalived.service.d/config-center.conf", .content = keepalived_restarts()});
  // Before what names it: keepalived's own check looks at it.
  files.push_back({.path = std::string(kCheckScript), .content = check_script(*balancer), .mode = 0755});
  files.push_back({.path = "/etc/keepalived/keepalived.conf",
                   .content = keepalived_conf(topology, secrets, host),
                   .mode = 0600,
                   .secret = true,
                   .validator = "keepalived -t -f {}"});
  return files;
}

}  // namespace cc::deploy
