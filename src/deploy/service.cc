#include "deploy/service.h"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/bytes.h"
#include "deploy/app.h"
#include "deploy/cache.h"
#include "deploy/database.h"
#include "deploy/listening.h"
#include "deploy/monitoring.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

constexpr std::string_view kUnits = "/etc/systemd/system/", kArguments = "/etc/default/";
constexpr std::string_view kBalancerUnit = "haproxy.service", kAddressUnit = "keepalived.service";

// What a path that begins so is read by; the longest first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kReaders{{
    {"/etc/default/prometheus-node-exporter", kNodeExporterUnit},
    {"/etc/default/prometheus-postgres-exporter", kPostgresExporterUnit},
    {"/etc/default/prometheus-redis-exporter", kRedisExporterUnit},
    {"/etc/default/prometheus-alertmanager", kAlertmanagerUnit},
    {"/etc/prometheus/alertmanager", kAlertmanagerUnit},
    {"/etc/prometheus/", kPrometheusUnit},
    {"/etc/default/prometheus", kPrometheusUnit},
    {"/etc/grafana/", kGrafanaUnit},
    {"/var/lib/grafana/", kGrafanaUnit},
    {"/etc/haproxy/", kBalancerUnit},
    {"/etc/keepalived/", kAddressUnit},
    {"/etc/redis/redis.conf", kCacheUnit},
    {"/etc/redis/sentinel.conf", kSentinelUnit},
    {"/etc/postgresql/", kDatabaseUnit},
    {"/etc/config-center/", kAppUnit},
}};

std::string answers(const Host& host, Port port, std::string_view path) {
  return std::string(kHttpGet) + fmt::format("http_get {} {} {} >/dev/null\n", reached_at(host), port, path);
}

std::string pong(const Host& host, Port port, const Secrets& secrets) {
  return fmt::format("[ \"$(REDISCLI_AUTH={} redis-cli -h {} -p {} ping 2>/dev/null)\" = PONG ]\n", secrets.cache,
                     reached_at(host), port);
}

std::string started_file(const Service& service) {
  return fmt::format("{}/started/{}", kKept, service.unit);
}

// Of what a service runs with; its end is that of what it reads only when it is started: its unit, and its arguments.
std::string fingerprint(const Service& service, const RenderedFiles& files, std::string_view release) {
  std::string all(release), at_start(release);
  for (const RenderedFile& file : files) {
    // A file that the program writes itself is not what it was started with.
    if (unit_of(file.path) != service.unit || file.once) continue;
    const std::string one = file.path + sha256_hex(file.content);
    all += one;
    if (file.path.starts_with(kUnits) || file.path.starts_with(kArguments)) at_start += one;
  }
  return sha256_hex(all) + "-" + sha256_hex(at_start);
}

// Sets $how, by which fingerprint the service was started with.
std::string choose_how(const Service& service, std::string_view fingerprint_file, std::string_view wanted) {
  if (service.rereads != Service::Rereads::all) return "how=restart\n";
  return fmt::format("case \"$(cat {} 2>/dev/null)\" in *{}) how=reload-or-restart ;; *) how=restart ;; esac\n",
                     fingerprint_file, wanted.substr(wanted.find('-')));
}

}  // namespace

std::string unit_of(std::string_view path) {
  if (path.starts_with(kUnits)) {
    const std::string_view name = path.substr(kUnits.size());
    return std::string(name.substr(0, name.find(".service"))) + ".service";
  }
  for (const auto& [prefix, unit] : kReaders) {
    if (path.starts_with(prefix) && !path.starts_with(kTargetsFolder)) return std::string(unit);
  }
  return "";
}

std::vector<Service> services_of(const Topology& topology, const Secrets& secrets) {
  using enum Service::Rereads;
  std::vector<Service> services;
  const auto add = [&](std::string_view component, const std::string& host, std::string_view unit, std::string ready,
                       Service::Rereads rereads = Service::Rereads::nothing) {
    services.push_back({.component = std::string(component),
                        .host = host,
                        .unit = std::string(unit),
                        .ready = std::move(ready),
                        .rereads = rereads});
  };
  if (const auto& database = topology.database) {
    for (const std::string& host : hosts_of(*database))
      add("database", host, kDatabaseUnit, fmt::format("pg_isready -q -h /var/run/postgresql -p {}\n", database->port),
          some);
  }
  if (const auto& cache = topology.cache) {
    for (const std::string& host : hosts_of(*cache))
      add("cache", host, kCacheUnit, pong(topology.host(host), cache->port, secrets));
    for (const std::string& host : cache->sentinels)
      add("sentinel", host, kSentinelUnit, pong(topology.host(host), cache->sentinel_port, secrets));
  }
  for (const std::string& host : topology.app.hosts) {
    add("app", host, kAppUnit,
        fmt::format(
            "systemctl is-active --quiet {} && {} health --ready --server http://127.0.0.1:{} >/dev/null 2>&1\n",
            kAppUnit, kBinary, topology.app.port),
        some);
  }
  if (const auto& balancer = topology.load_balancer) {
    for (const std::string& host : balancer->hosts) {
      add("load_balancer", host, kBalancerUnit,
          std::string(kHttpGet) + fmt::format("http_get 127.0.0.1 {} /alive >/dev/null\n", balancer->stats_port), all);
      if (!balancer->virtual_address.empty())
        add("load_balancer", host, kAddressUnit, fmt::format("systemctl is-active --quiet {}\n", kAddressUnit), all);
    }
  }
  if (const auto& exporters = topology.exporters) {
    for (const Host& host : topology.hosts) {
      add("exporters", host.name, kNodeExporterUnit, answers(host, exporters->node_port, kUsualMetricsPath));
      if (topology.database && is_among(host.name, hosts_of(*topology.database)))
        add("exporters", host.name, kPostgresExporterUnit, answers(host, exporters->postgres_port, kUsualMetricsPath));
      if (topology.cache && is_among(host.name, hosts_of(*topology.cache)))
        add("exporters", host.name, kRedisExporterUnit, answers(host, exporters->redis_port, kUsualMetricsPath));
    }
  }
  if (const auto& alertmanager = topology.alertmanager)
    add("alertmanager", alertmanager->host, kAlertmanagerUnit,
        answers(topology.host(alertmanager->host), alertmanager->port, "/-/ready"), some);
  if (const auto& prometheus = topology.prometheus)
    add("prometheus", prometheus->host, kPrometheusUnit,
        answers(topology.host(prometheus->host), prometheus->port, "/-/ready"), all);
  if (const auto& grafana = topology.grafana; grafana && !(grafana->package.empty() && grafana->repository.empty()))
    add("grafana", grafana->host, kGrafanaUnit, answers(topology.host(grafana->host), grafana->port, "/api/health"));
  return services;
}

std::string wait_until_ready(const Service& service) {
  return fmt::format(
      // While a job of systemd's is not done it is still the process from before that would answer.
      "is_ready() {{ [ -z \"$(systemctl show -P Job {unit})\" ] && systemctl is-active --quiet {unit} && (set "
      "+e\n{ready}\n) ; }}\n"
      "restarts() {{ systemctl show -P NRestarts {unit}; }}\n"
      "before=$(restarts)\n"
      "for i in $(seq 1 300); do\n"
      "  if is_ready; then break; fi\n"
      "  now=$(restarts)\n"
      "  if [ $i = 300 ] || [ $now -ge $((before + 5)) ] || systemctl is-failed --quiet {unit}; then\n"
      "    echo '{unit} does not become ready; the end of its log:' >&2\n"
      "    journalctl -u {unit} -n 8 --no-pager -o cat >&2 || true; exit 1\n"
      "  fi\n"
      "  sleep 0.2\n"
      "done\n",
      fmt::arg("unit", service.unit), fmt::arg("ready", service.ready));
}

Step running_step(const Service& service, const RenderedFiles& files, std::string_view release, const Run& run) {
  const std::string wanted = fingerprint(service, files, release), started = started_file(service);
  const std::string before = fmt::format("{}/was-active/{}", run.kept(), service.unit);
  const std::string ready = wait_until_ready(service);
  return {
      .host = service.host,
      .name = "service " + service.unit,
      .check = fmt::format("systemctl is-active --quiet {unit} || {{ echo 'is started'; exit 1; }}\n"
                           "{choose}"
                           "[ \"$(cat {started} 2>/dev/null)\" = {wanted} ] || {{ echo \"$how: what it runs with has "
                           "changed\"; exit 1; }}\n"
                           "(set +e\n{ready}\n) || {{ echo \"$how: it is not ready\"; exit 1; }}\n"
                           "exit 0\n",
                           fmt::arg("unit", service.unit), fmt::arg("choose", choose_how(service, started, wanted)),
                           fmt::arg("started", started), fmt::arg("wanted", wanted), fmt::arg("ready", service.ready)),
      .action = fmt::format(
          "install -d -m 0700 {kept} {kept}/started {run} {run}/was-active\n"
          "if systemctl is-active --quiet {unit}; then cp {started} {before} 2>/dev/null || touch {before}; fi\n"
          // A node's first start lasts until the others are there: they are waited for together, below.
          "systemctl enable --quiet {unit} 2>/dev/null || true\n"
          "systemctl reset-failed {unit} 2>/dev/null || true\n"
          "{choose}systemctl --no-block $how {unit}\n"
          "{ready}"
          "echo {wanted} >{started}\n",
          fmt::arg("kept", kKept), fmt::arg("run", run.kept()), fmt::arg("unit", service.unit),
          fmt::arg("before", before), fmt::arg("started", started), fmt::arg("wanted", wanted),
          fmt::arg("choose", choose_how(service, started, wanted)), fmt::arg("ready", ready)),
      // One that waits for its next try is as failed, when it is stopped.
      .undo =
          fmt::format("if [ ! -e {0} ]; then systemctl stop {1}; systemctl reset-failed {1} 2>/dev/null || true; rm "
                      "-f {2}; fi\n",
                      before, service.unit, started),
      .again = fmt::format("if [ -e {before} ]; then\n"
                           "systemctl reset-failed {unit} 2>/dev/null || true\n"
                           "{choose}systemctl --no-block $how {unit}\n"
                           "{ready}"
                           "cp {before} {started}\n"
                           "fi\n",
                           fmt::arg("before", before), fmt::arg("unit", service.unit),
                           fmt::arg("choose", choose_how(service, before, wanted)), fmt::arg("ready", ready),
                           fmt::arg("started", started))};
}

std::optional<Step> reloaded_step(const Service& service, const Run& run) {
  if (service.rereads == Service::Rereads::nothing) return std::nullopt;
  const std::string done = fmt::format("{}/reloaded-{}", run.kept(), service.unit);
  return Step{.host = service.host,
              .name = "service " + service.unit,
              .check = fmt::format("systemctl is-active --quiet {unit} || exit 0\n"
                                   "[ -e {done} ] && exit 0\necho 'reads its settings again'; exit 1\n",
                                   fmt::arg("unit", service.unit), fmt::arg("done", done)),
              .action = fmt::format("systemctl reload {}\n{}install -d -m 0700 {}; touch {}\n", service.unit,
                                    wait_until_ready(service), run.kept(), done),
              .undo = ""};
}

Step stopped_step(const Service& service) {
  return {.host = service.host,
          .name = "service " + service.unit,
          .check = fmt::format("systemctl is-active --quiet {} || exit 0\necho 'is stopped'; exit 1\n", service.unit),
          .action = fmt::format("systemctl stop {}\n", service.unit),
          .undo = fmt::format("systemctl start {}\n", service.unit)};
}

}  // namespace cc::deploy
