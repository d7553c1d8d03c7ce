#include "deploy/install.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "deploy/app.h"
#include "deploy/cache.h"
#include "deploy/database.h"
#include "deploy/package_files.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

Step packages_step(const Topology& topology, const Host& host) {
  const std::string packages = fmt::format("{}", fmt::join(packages_of(topology, host), " "));
  return {.host = host.name,
          .name = "packages",
          .check = fmt::format("missing=\nfor each in {}; do\n"
                               "  case \"$(dpkg-query -W -f='${{db:Status-Abbrev}}' $each 2>/dev/null)\" in ii*) ;; *) "
                               "missing=\"$missing $each\" ;; esac\n"
                               "done\n"
                               "[ -z \"$missing\" ] && exit 0\n"
                               "echo \"are installed:$missing\"; exit 1\n",
                               packages),
          // No service begins to run before it has its settings.
          .action =
              fmt::format("export DEBIAN_FRONTEND=noninteractive\n"
                          "if [ ! -e /usr/sbin/policy-rc.d ]; then\n"
                          "  trap 'rm -f /usr/sbin/policy-rc.d' EXIT\n"
                          "  printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d\n"
                          "fi\n"
                          "install() {{ apt-get install -y -q --no-install-recommends {arguments} -o "
                          "Dpkg::Options::=--force-confold {packages}; }}\n"
                          "if ! said=$(install 2>&1); then\n"
                          "  {update}"
                          "  if ! said=$(install 2>&1); then echo \"$said\" | grep -E '^E:|^dpkg: error' >&2 || echo "
                          "\"$said\" | tail -5 "
                          ">&2; exit 1; fi\n"
                          "fi\n",
                          fmt::arg("packages", packages), fmt::arg("arguments", apt_arguments(topology)),
                          fmt::arg("update", apt_update(topology))),
          .undo = "",
          .patience = std::chrono::minutes(15)};
}

Step user_step(const Topology& topology, const Host& host) {
  return {
      .host = host.name,
      .name = "user config-center and its folders",
      .check =
          "id config-center >/dev/null 2>&1 || { echo 'is made'; exit 1; }\n"
          "[ \"$(stat -c '%a %U' /etc/config-center/secrets 2>/dev/null)\" = '700 config-center' ] || { echo "
          "'folders are made'; exit 1; }\n"
          "[ -d /opt/config-center/releases ] || { echo 'folders are made'; exit 1; }\n",
      .action = fmt::format(
          "id config-center >/dev/null 2>&1 || useradd --system --user-group --home-dir {} --no-create-home --shell "
          "/usr/sbin/nologin config-center\n"
          "install -d -m 0755 {}/releases\n"
          "install -d -m 0750 -g config-center /etc/config-center\n"
          "install -d -m 0700 -o config-center -g config-center /etc/config-center/secrets\n",
          topology.app.data_dir, kAppFolder),
      .undo = ""};
}

Step grafana_step(const Topology& topology, const Grafana& grafana) {
  const std::string there = "/var/tmp/config-center-grafana.deb";
  Step step{.host = grafana.host,
            .name = "package grafana",
            .check =
                "case \"$(dpkg-query -W -f='${db:Status-Abbrev}' grafana 2>/dev/null)\" in ii*) exit 0 ;; esac\n"
                "echo 'is installed'; exit 1\n",
            .undo = "",
            .patience = std::chrono::minutes(15)};
  if (!grafana.package.empty()) {
    step.upload = Upload{.from = grafana.package, .to = there};
    step.action = fmt::format(
        "trap 'rm -f {0}' EXIT\n"
        "DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends {1} {0} >/dev/null\n",
        there, apt_arguments(topology));
  } else {
    step.action = fmt::format(
        "echo {} >/etc/apt/sources.list.d/config-center-grafana.list\n"
        "apt-get update -q >/dev/null\n"
        "DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 "
        "grafana "
        ">/dev/null\n",
        shell_word(grafana.repository));
  }
  return step;
}

}  // namespace

std::vector<std::string> packages_of(const Topology& topology, const Host& host) {
  std::vector<std::string> packages;
  const auto add_if = [&](bool has, std::string_view package) {
    if (has) packages.emplace_back(package);
  };
  if (const auto& database = topology.database) {
    const bool has = is_among(host.name, hosts_of(*database));
    add_if(has, "postgresql-15");
    add_if(has && topology.exporters, "prometheus-postgres-exporter");
  }
  if (const auto& cache = topology.cache) {
    const bool has = is_among(host.name, hosts_of(*cache));
    add_if(has, "redis-server");
    add_if(has && topology.exporters, "prometheus-redis-exporter");
    add_if(is_among(host.name, cache->sentinels), "redis-sentinel");
  }
  if (const auto& balancer = topology.load_balancer) {
    const bool has = is_among(host.name, balancer->hosts);
    add_if(has, "haproxy");
    add_if(has && !balancer->virtual_address.empty(), "keepalived");
  }
  add_if(backs_up_archive(topology.app, host.name), kDumpPackage);
  add_if(topology.prometheus && topology.prometheus->host == host.name, "prometheus");
  add_if(topology.alertmanager && topology.alertmanager->host == host.name, "prometheus-alertmanager");
  add_if(topology.exporters.has_value(), "prometheus-node-exporter");
  return packages;
}

Stage install_stage(const Topology& topology) {
  Stage stage{.name = "install"};
  for (const Host& host : topology.hosts) {
    if (!topology.packages.empty()) stage.steps.push_back(package_files_step(topology, host));
    if (!packages_of(topology, host).empty()) stage.steps.push_back(packages_step(topology, host));
    if (is_among(host.name, topology.app.hosts)) stage.steps.push_back(user_step(topology, host));
  }
  if (const auto& grafana = topology.grafana; grafana && !(grafana->package.empty() && grafana->repository.empty()))
    stage.steps.push_back(grafana_step(topology, *grafana));
  return stage;
}

}  // namespace cc::deploy
