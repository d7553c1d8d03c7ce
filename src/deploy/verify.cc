#include "deploy/verify.h"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/host_port.h"
#include "base/text.h"
#include "deploy/app.h"
#include "deploy/database.h"
#include "deploy/in_parallel.h"
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

Probe holds_virtual_address(const Topology& topology, const std::string& host) {
  const std::string address = bare_address(topology.load_balancer->virtual_address);
  return {
      .host = host,
      .name = fmt::format("exactly one load balancer has {}", address),
      // After a start keepalived takes its time; who has it is settled when somebody answers there.
      .script = std::string(kHttpGet) + fmt::format("held() {{ ip -o addr show to {0} | grep -q .; }}\n"
                                                    "for i in $(seq 1 30); do\n"
                                                    "  if held || http_get {0} {1} /readyz >/dev/null; then break; fi\n"
                                                    "  sleep 0.5\n"
                                                    "done\n"
                                                    "held\n",
                                                    address, topology.load_balancer->port),
      .on_one_host = true};
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

// What a script that publishes, reads and watches begins with.
std::string client(const Topology& topology) {
  return fmt::format(
      "export HOME=$(mktemp -d)\n"
      "trap 'rm -rf \"$HOME\"' EXIT\n"
      "cc() {{ {} \"$@\"; }}\n"
      ". /etc/config-center/secrets/administrator.env\n"
      "key=dev/config-center-verify/default/verify.txt value=$(date +%s%N)\n"
      "fail() {{ echo \"$1\"; exit 1; }}\n"
      "sign_in() {{ printf %s \"$CONFIG_CENTER_ADMIN_PASSWORD\" | cc login --server $1 --username admin "
      "--password-stdin >/dev/null; }}\n"
      // Sets $value, and $revision to that at which it is.
      "change() {{\n"
      "  value=$value.\n"
      "  revision=$(printf %s \"$value\" | cc publish --server $1 $key -f - -m verify -o json |\n"
      "    sed -n 's/.*\"revision\": *\\([0-9]*\\).*/\\1/p') || true\n"
      "  [ -n \"$revision\" ] || fail \"nothing can be published through $1\"\n"
      "}}\n"
      "reads() {{ for i in $(seq 1 20); do [ \"$(cc get --server $1 $key)\" = \"$value\" ] && return 0; sleep 0.1; "
      "done\n"
      "  fail \"what was published is not read through $1\"; }}\n"
      "copied() {{ cc $1 status --server $s -o json | sed -n 's/.*\"revision\": *\\([0-9]*\\).*/\\1/p' | head -1; }}\n"
      "arrives() {{ for i in $(seq 1 60); do [ \"0$(copied $1)\" -ge $revision ] && return 0; sleep 0.5; done\n"
      "  fail \"$2 does not have it after 30 s: config-center $1 status says why\"; }}\n"
      "s=http://127.0.0.1:{}\nsign_in $s\n",
      kBinary, topology.app.port);
}

Probe function(const Topology& topology) {
  std::string ways;
  for (const std::string& way : ways_in(topology))
    ways += " http://" + way;
  std::string script =
      client(topology) + fmt::format("ways='{}'\n", ways) +
      "for way in $ways; do sign_in $way || fail \"nobody can log in through $way\"; done\n"
      "change $s\n"
      // Watches that begin before the change, and after it where a start takes long: each tells of it.
      "number=0\n"
      "for way in $ways; do\n"
      "  number=$((number + 1))\n"
      "  cc watch --server $way $key --once --after $revision --timeout 30s -o json >$HOME/watch-$number "
      "2>&1 &\n"
      "done\n"
      "change $(set -- $ways; echo $1)\n"
      "for job in $(jobs -p); do wait $job || true; done\n"
      "number=0\n"
      "for way in $ways; do\n"
      "  number=$((number + 1))\n"
      "  grep -q \"\\\"revision\\\": *$revision\\\\b\" $HOME/watch-$number || fail \"a watch through $way did "
      "not tell of a change: $(tail -1 $HOME/watch-$number)\"\n"
      "done\n"
      "for way in $ways; do change $way; for other in $ways; do reads $other; done; done\n";
  if (topology.database) script += "arrives archive 'the archive'\n";
  if (topology.cache) script += "arrives edge Redis\n";
  script +=
      "cc delete --server $s --yes $key >/dev/null\n"
      "if cc get --server $s $key >/dev/null 2>&1; then fail 'what was deleted is still read'; fi\n";
  return {.host = topology.app.hosts.front(),
          .name = "publish, read, watch and delete through every way in",
          .script = script};
}

}  // namespace

std::vector<Probe> gates_of(const Topology& topology, const Secrets& secrets) {
  std::vector<Probe> probes;
  if (topology.database && !topology.database->replicas.empty()) probes.push_back(replication(topology));
  if (topology.cache && !topology.cache->replicas.empty()) probes.push_back(cache_replication(topology, secrets));
  if (topology.cache && !topology.cache->sentinels.empty()) probes.push_back(quorum(topology, secrets));
  for (const std::string& host : topology.app.hosts)
    probes.push_back(leader(topology, host));
  if (const auto& balancer = topology.load_balancer) {
    for (const std::string& host : balancer->hosts)
      probes.push_back(balanced(topology, host));
  }
  return probes;
}

std::vector<Probe> probes_of(const Topology& topology, const Secrets& secrets) {
  std::vector<Probe> probes;
  for (const Service& service : services_of(topology, secrets))
    probes.push_back(of_service(service));
  for (Probe& gate : gates_of(topology, secrets))
    probes.push_back(std::move(gate));
  if (const auto& balancer = topology.load_balancer; balancer && !balancer->virtual_address.empty()) {
    probes.push_back(virtual_address(topology));
    for (const std::string& host : balancer->hosts)
      probes.push_back(holds_virtual_address(topology, host));
  }
  if (topology.prometheus) probes.push_back(targets(topology));
  probes.push_back(function(topology));
  return probes;
}

namespace {

Finding judge(Connection& connection, const Probe& probe, const Clock& clock) {
  Finding finding{.host = probe.host, .check = probe.name, .message = {}};
  const auto ran =
      connection.run(as_root(fmt::format("(\n{}\n) 2>&1\n", probe.script)), {clock, clock.now() + kPatience});
  if (!ran) {
    finding.verdict = Verdict::not_tested;
    finding.message = ran.error().message;
  } else {
    finding.verdict = ran->good() ? Verdict::pass : ran->status == kWarns ? Verdict::warn : Verdict::fail;
    finding.message = trim(ran->output);
  }
  return finding;
}

// Of the findings of probes that succeed on one host: the first one says how it is, the others are taken out.
void merge(std::vector<Finding>& findings, const std::vector<Probe>& probes) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < probes.size(); ++i)
    if (probes[i].on_one_host) groups[probes[i].name].push_back(i);
  std::vector<std::size_t> taken_out;
  for (const auto& [name, members] : groups) {
    std::vector<std::string> holders;
    bool all_asked = true;
    for (const std::size_t i : members) {
      if (findings[i].verdict == Verdict::pass) holders.push_back(findings[i].host);
      all_asked = all_asked && findings[i].verdict != Verdict::not_tested;
    }
    Finding& first = findings[members.front()];
    const std::string who = holders.empty() ? "none has it" : fmt::format("on {}", fmt::join(holders, ", "));
    first.verdict = holders.size() > 1    ? Verdict::fail
                    : !all_asked          ? Verdict::not_tested
                    : holders.size() == 1 ? Verdict::pass
                                          : Verdict::fail;
    first.message = all_asked ? who : who + "; not all hosts are reached";
    taken_out.insert(taken_out.end(), members.begin() + 1, members.end());
  }
  std::ranges::sort(taken_out, std::greater());
  for (const std::size_t i : taken_out)
    findings.erase(findings.begin() + static_cast<std::ptrdiff_t>(i));
}

}  // namespace

std::vector<Finding> verify(const Hosts& hosts, const std::vector<Probe>& probes, const std::function<void()>& told) {
  std::vector<Finding> findings(probes.size());
  std::mutex mutex;
  in_parallel(hosts.topology.hosts, hosts.at_once, [&](const Host& host) {
    const auto connection = hosts.connect(host);
    bool reached = true;
    for (std::size_t i = 0; i < probes.size(); ++i) {
      if (probes[i].host != host.name) continue;
      if (reached) {
        findings[i] = judge(*connection, probes[i], hosts.clock);
        reached = findings[i].verdict != Verdict::not_tested;
        if (!reached) findings[i].verdict = Verdict::fail;
      } else {
        findings[i] = {.host = host.name,
                       .check = probes[i].name,
                       .verdict = Verdict::not_tested,
                       .message = "the host is not reached"};
      }
      const std::lock_guard lock(mutex);
      told();
    }
  });
  merge(findings, probes);
  return findings;
}

}  // namespace cc::deploy
