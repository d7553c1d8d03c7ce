#include "deploy/verify.h"

#include <mutex>
#include <semaphore>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/host_port.h"
#include "base/text.h"
#include "deploy/app.h"
#include "deploy/database.h"
#include "deploy/listening.h"
#include "deploy/load_balancer.h"
#include "deploy/monitoring.h"
#include "deploy/script.h"
#include "deploy/service.h"

namespace cc::deploy {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 3min;  // with one of them

// Until `script` succeeds, or for so many seconds; says `otherwise` then.
std::string soon(unsigned seconds, std::string_view script, std::string_view otherwise) {
  return fmt::format(
      "seen() {{ (set +e\n{}\n) 2>/dev/null; }}\n"
      "for i in $(seq 1 {}); do if seen; then exit 0; fi; sleep 0.5; done\n"
      "echo {}; exit 1\n",
      script, 2 * seconds, shell_word(otherwise));
}

Probe of_service(const Service& service) {
  return {.host = service.host,
          .name = "service " + service.unit,
          .script = fmt::format("systemctl is-active --quiet {0} || {{ echo \"is $(systemctl is-active {0}); look at "
                                "journalctl -u {0}\"; exit 1; }}\n",
                                service.unit) +
                    soon(15, service.ready, "runs, but is not ready")};
}

Probe replication(const Topology& topology) {
  const Database& database = *topology.database;
  const std::string wanted = fmt::to_string(database.replicas.size());
  return {
      .host = database.primary,
      .name = "replication of PostgreSQL",
      .script = "cd /\n" + soon(30,
                                fmt::format("[ \"$(runuser -u postgres -- psql -XAtq -p {} -c \"SELECT count(*) FROM "
                                            "pg_stat_replication WHERE state = 'streaming' AND application_name IN "
                                            "('{}')\")\" = {} ]",
                                            database.port, fmt::join(database.replicas, "', '"), wanted),
                                fmt::format("not all {} replicas stream from it", wanted))};
}

Probe cache_replication(const Topology& topology, const Secrets& secrets) {
  const Cache& cache = *topology.cache;
  return {.host = cache.replicas.front(),
          .name = "replication of Redis",
          .script = soon(30,
                         fmt::format("REDISCLI_AUTH={} redis-cli -p {} info replication | grep -qE "
                                     "'^master_link_status:up|^connected_slaves:[1-9]'",
                                     secrets.cache, cache.port),
                         "neither has a link to its primary, nor is it one with replicas")};
}

Probe quorum(const Topology& topology, const Secrets& secrets) {
  const Cache& cache = *topology.cache;
  return {.host = cache.sentinels.front(),
          .name = "quorum of the Sentinels",
          .script = soon(30,
                         fmt::format("REDISCLI_AUTH={} redis-cli -p {} sentinel ckquorum {} | grep -q '^OK'",
                                     secrets.cache, cache.sentinel_port, cache.primary_name),
                         "they do not reach each other, or not the primary")};
}

Probe leader(const Topology& topology, const std::string& host) {
  return {
      .host = host,
      .name = "the node reaches a leader",
      .script = soon(
          15, fmt::format("{} health --ready --for-writes --server http://127.0.0.1:{}", kBinary, topology.app.port),
          "no changes can be made through it: are the other nodes up?")};
}

Probe balanced(const Topology& topology, const std::string& host) {
  const LoadBalancer& balancer = *topology.load_balancer;
  std::string script = std::string(kHttpGet) + fmt::format("page=$(http_get 127.0.0.1 {} {}) || exit 1\n",
                                                           balancer.stats_port, kBalancerMetricsPath);
  for (const std::string& node : topology.app.hosts) {
    script += fmt::format(
        "printf '%s\\n' \"$page\" | grep -q '^haproxy_server_status{{proxy=\"{}\",server=\"{}\",state=\"UP\"}} 1' || "
        "exit "
        "1\n",
        kBalancerBackend, node);
  }
  return {.host = host,
          .name = "the load balancer sees every node",
          .script = soon(15, script, "it does not: look at its page of statistics")};
}

std::string bare_address(std::string_view with_prefix) {
  return std::string(with_prefix.substr(0, with_prefix.find('/')));
}

Probe virtual_address(const Topology& topology) {
  const LoadBalancer& balancer = *topology.load_balancer;
  const std::string address = bare_address(balancer.virtual_address);
  return {.host = topology.app.hosts.front(),
          .name = "the virtual address answers",
          .script = std::string(kHttpGet) +
                    soon(15, fmt::format("http_get {} {} /readyz >/dev/null", address, balancer.port),
                         fmt::format("nobody answers at {}: is it on one of the load balancers?", address))};
}

Probe targets(const Topology& topology) {
  const Prometheus& prometheus = *topology.prometheus;
  const Host& host = topology.host(prometheus.host);
  return {.host = host.name,
          .name = "Prometheus reaches its targets",
          .script = std::string(kHttpGet) +
                    fmt::format(
                        "page() {{ http_get {} {} '/api/v1/targets?state=active'; }}\n"
                        "for i in $(seq 1 90); do\n"
                        "  if found=$(page) && ! printf '%s' \"$found\" | grep -qE "
                        "'\"health\":\"(down|unknown)\"'; then exit 0; fi\n"
                        "  sleep 0.5\n"
                        "done\n"
                        "printf '%s' \"$found\" | tr ',' '\\n' | grep -E '\"(scrapeUrl|lastError|health)\"' | paste - "
                        "- - | grep -v '\"up\"' | head -5; exit 1\n",
                        reached_at(host), prometheus.port)};
}

// Through every way in: the virtual address, each load balancer, each node.
std::vector<std::string> ways_in(const Topology& topology) {
  std::vector<std::string> all;
  if (const auto& balancer = topology.load_balancer) {
    if (!balancer->virtual_address.empty())
      all.push_back(host_and_port(bare_address(balancer->virtual_address), balancer->port));
    for (const std::string& host : balancer->hosts)
      all.push_back(host_and_port(topology.host(host).address, balancer->port));
  }
  for (const std::string& host : topology.app.hosts)
    all.push_back(host_and_port(topology.host(host).address, topology.app.port));
  return all;
}

Probe function(const Topology& topology) {
  std::string script = fmt::format(
      "export HOME=$(mktemp -d)\n"
      "trap 'rm -rf \"$HOME\"' EXIT\n"
      "cc() {{ {binary} \"$@\"; }}\n"
      ". /etc/config-center/secrets/administrator.env\n"
      "key=dev/config-center-verify/default/verify.txt value=$(date +%s%N)\n"
      "sign_in() {{ printf %s \"$CONFIG_CENTER_ADMIN_PASSWORD\" | cc login --server $1 --username admin "
      "--password-stdin "
      ">/dev/null; }}\n"
      "sign_in http://127.0.0.1:{port}\n"
      "revision=0\n",
      fmt::arg("binary", kBinary), fmt::arg("port", topology.app.port));
  const std::vector<std::string> ways = ways_in(topology);
  for (const std::string& way : ways) {
    // A watch that begins before, and tells of the change.
    script += fmt::format(
        "s=http://{}; sign_in $s\n"
        "value=$value.; printf %s \"$value\" | revision=$(cc publish --server $s $key -f - -m verify -o json | "
        "sed -n 's/.*\"revision\": *\\([0-9]*\\).*/\\1/p') || {{ echo "
        "\"nothing "
        "can be published through $s\"; exit 1; }}\n",
        way);
    for (const std::string& other : ways) {
      script += fmt::format(
          "s=http://{}; sign_in $s; for i in $(seq 1 20); do got=$(cc get --server $s $key); [ \"$got\" = \"$value\" ] "
          "&& "
          "break; sleep 0.1; done; [ \"$got\" = \"$value\" ] || {{ echo \"what was published is not read through $s\"; "
          "exit "
          "1; }}\n",
          other);
    }
  }
  script += fmt::format(
      "s=http://127.0.0.1:{}\n"
      "copied() {{ cc $1 status --server $s -o json | sed -n 's/.*\"revision\": *\\([0-9]*\\).*/\\1/p' | head -1; }}\n"
      "arrives() {{ for i in $(seq 1 60); do [ \"$(copied $1)\" -ge $revision ] && return 0; sleep 0.5; done; echo "
      "\"$2 does not have it after 30 s: config-center $1 status says why\"; exit 1; }}\n",
      topology.app.port);
  if (topology.database) script += "arrives archive 'the archive'\n";
  if (topology.cache) script += "arrives edge Redis\n";
  script +=
      "cc delete --server $s --yes $key >/dev/null\n"
      "for each in $s; do cc get --server $each $key >/dev/null 2>&1 && { echo 'what was deleted is still read'; exit "
      "1; }; "
      "done\n"
      "exit 0\n";
  return {
      .host = topology.app.hosts.front(), .name = "publish, read and delete through every way in", .script = script};
}

}  // namespace

std::vector<Probe> probes_of(const Topology& topology, const Secrets& secrets) {
  std::vector<Probe> probes;
  for (const Service& service : services_of(topology, secrets))
    probes.push_back(of_service(service));
  if (topology.database && !topology.database->replicas.empty()) probes.push_back(replication(topology));
  if (topology.cache && !topology.cache->replicas.empty()) probes.push_back(cache_replication(topology, secrets));
  if (topology.cache && !topology.cache->sentinels.empty()) probes.push_back(quorum(topology, secrets));
  for (const std::string& host : topology.app.hosts)
    probes.push_back(leader(topology, host));
  if (const auto& balancer = topology.load_balancer) {
    for (const std::string& host : balancer->hosts)
      probes.push_back(balanced(topology, host));
    if (!balancer->virtual_address.empty()) probes.push_back(virtual_address(topology));
  }
  if (topology.prometheus) probes.push_back(targets(topology));
  probes.push_back(function(topology));
  return probes;
}

std::vector<Finding> verify(const Hosts& hosts, const std::vector<Probe>& probes, const std::function<void()>& told) {
  std::vector<Finding> findings(probes.size());
  std::mutex mutex;
  std::counting_semaphore<> places(static_cast<std::ptrdiff_t>(hosts.at_once));
  {
    std::vector<std::jthread> threads;
    threads.reserve(hosts.topology.hosts.size());
    for (const Host& host : hosts.topology.hosts) {
      threads.emplace_back([&] {
        places.acquire();
        const auto connection = hosts.connect(host);
        std::optional<Error> unreachable;
        for (std::size_t i = 0; i < probes.size(); ++i) {
          if (probes[i].host != host.name) continue;
          Finding& finding = findings[i] = {.host = host.name, .check = probes[i].name, .message = {}};
          if (unreachable) {
            finding.verdict = Verdict::not_tested;
            finding.message = "the host is not reached";
          } else if (const auto ran = connection->run(as_root(fmt::format("(\n{}\n) 2>&1\n", probes[i].script)),
                                                      {hosts.clock, hosts.clock.now() + kPatience});
                     !ran) {
            unreachable = ran.error();
            finding.verdict = Verdict::fail;
            finding.message = ran.error().message;
          } else {
            finding.verdict = ran->good() ? Verdict::pass : Verdict::fail;
            finding.message = trim(ran->output);
          }
          const std::lock_guard lock(mutex);
          told();
        }
        places.release();
      });
    }
  }
  return findings;
}

}  // namespace cc::deploy
