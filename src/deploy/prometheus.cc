#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/host_port.h"
#include "deploy/cache.h"
#include "deploy/database.h"
#include "deploy/file_text.h"
#include "deploy/listening.h"
#include "deploy/load_balancer.h"
#include "deploy/monitoring.h"
#include "embedded/monitoring_rules.h"

namespace cc::deploy {
namespace {

// What is asked for metrics, of one kind.
struct Job {
  std::string_view name;
  std::vector<std::string> hosts;
  Port port;
  std::string path{kUsualMetricsPath};
  Port asked_by = 0;  // of Redis's exporters, one of which asks what has no metrics of its own; 0: it has
};

std::vector<Job> jobs_of(const Topology& topology) {
  std::vector<Job> jobs{{"config-center", topology.app.hosts, topology.app.metrics_port, metrics_path(topology.app)}};
  // HAProxy tells of itself.
  if (const auto& balancer = topology.load_balancer)
    jobs.push_back({"haproxy", balancer->hosts, balancer->stats_port, std::string(kBalancerMetricsPath)});
  if (const auto& exporters = topology.exporters) {
    std::vector<std::string> all(topology.hosts.size());
    std::ranges::transform(topology.hosts, all.begin(), &Host::name);
    jobs.push_back({"node", all, exporters->node_port});
    if (topology.database) jobs.push_back({"postgres", hosts_of(*topology.database), exporters->postgres_port});
    if (const auto& cache = topology.cache) {
      jobs.push_back({"redis", hosts_of(*cache), exporters->redis_port});
      if (!cache->sentinels.empty())
        jobs.push_back({"sentinel", cache->sentinels, cache->sentinel_port, "/scrape", exporters->redis_port});
    }
  }
  if (const auto& prometheus = topology.prometheus)
    jobs.push_back({"prometheus", {prometheus->host}, prometheus->port});
  if (const auto& alertmanager = topology.alertmanager)
    jobs.push_back({"alertmanager", {alertmanager->host}, alertmanager->port});
  if (const auto& grafana = topology.grafana) jobs.push_back({"grafana", {grafana->host}, grafana->port});
  return jobs;
}

std::string targets_path(const Job& job) {
  return fmt::format("{}{}.json", kTargetsFolder, job.name);
}

// Each with the name of its host, which people know better than its address.
std::string targets_file(const Topology& topology, const Job& job) {
  std::string groups;
  for (const std::string& name : job.hosts) {
    const std::string address = host_and_port(topology.host(name).address, job.port);
    std::string target = address, asked;
    if (job.asked_by != 0) {
      const auto exporters = hosts_of(*topology.cache);
      const std::string& exporter = is_among(name, exporters) ? name : exporters.front();
      target = host_and_port(topology.host(exporter).address, job.asked_by);
      asked = fmt::format(R"(, "instance": "{0}", "__param_target": "redis://{0}")", address);
    }
    groups += fmt::format(R"({}
  {{"targets": ["{}"], "labels": {{"host": "{}"{}}}}})",
                          groups.empty() ? "" : ",", target, name, asked);
  }
  return fmt::format("[{}\n]\n", groups);
}

std::string alertmanagers(const Topology& topology) {
  if (!topology.alertmanager) return "";
  return fmt::format(
      "\n"
      "alerting:\n"
      "  alertmanagers:\n"
      "    - static_configs:\n"
      "        - targets: ['{}']\n",
      host_and_port(topology.host(topology.alertmanager->host).address, topology.alertmanager->port));
}

// --- what the topology has of its own ---

std::string own_targets_path(const Monitoring::Target& target) {
  return fmt::format("{}own-{}.json", kTargetsFolder, target.job);
}

std::string own_targets_file(const Monitoring::Target& target) {
  boost::json::object labels;
  for (const auto& [name, value] : target.labels)
    labels[name] = value;
  boost::json::array targets(target.targets.begin(), target.targets.end());
  return boost::json::serialize(
             boost::json::array{boost::json::object{{"targets", std::move(targets)}, {"labels", std::move(labels)}}}) +
         "\n";
}

// Always there: rules that are no longer in the topology go.
std::string own_rules(const Monitoring& monitoring) {
  YAML::Node rules(YAML::NodeType::Sequence);
  for (const Monitoring::Rule& rule : monitoring.rules) {
    YAML::Node node;
    node["alert"] = rule.name;
    node["expr"] = rule.expr;
    if (!rule.duration.empty()) node["for"] = rule.duration;
    for (const auto& [name, value] : rule.labels)
      node["labels"][name] = value;
    for (const auto& [name, value] : rule.annotations)
      node["annotations"][name] = value;
    rules.push_back(node);
  }
  YAML::Node group;
  group["name"] = "topology";
  group["rules"] = rules;
  YAML::Node all;
  all["groups"].push_back(group);
  return written_by("These stand in monitoring.alerts.rules of topology.yaml.") + YAML::Dump(all) + "\n";
}

std::string scraped(std::string_view job, std::string_view path, std::string_view targets) {
  return fmt::format(
      "  - job_name: {}\n"
      "{}"
      "    file_sd_configs:\n"
      "      - files: ['{}']\n",
      job, path == kUsualMetricsPath || path.empty() ? "" : fmt::format("    metrics_path: '{}'\n", path), targets);
}

std::string prometheus_yml(const Topology& topology) {
  std::string text =
      written_by("Own rules and targets go into monitoring of topology.yaml, or " + std::string(kCustomFolder) + ".");
  text += fmt::format(
      "global:\n"
      "  scrape_interval: {0}\n"
      "  evaluation_interval: {0}\n"
      "  external_labels:\n"
      "    installation: '{1}'\n"
      "\n"
      "rule_files:\n"
      "  - {2}*.rules.yml\n"
      "  - {3}*.rules.yml\n"
      "{4}"
      "\n"
      "# Targets are in files of their own: who is added or removed there is noticed without a reload.\n"
      "scrape_configs:\n",
      topology.monitoring.scrape_interval, topology.name, kRulesFolder, kCustomFolder, alertmanagers(topology));
  for (const Job& job : jobs_of(topology))
    text += scraped(job.name, job.path, targets_path(job));
  for (const Monitoring::Target& target : topology.monitoring.targets)
    text += scraped(target.job, target.path, own_targets_path(target));
  return text + scraped("custom", "", fmt::format("{}*.targets.json", kCustomFolder));
}

std::string custom_readme() {
  return fmt::format(
      "This folder is yours: config-center deploy never touches what is in it.\n"
      "\n"
      "  *.rules.yml      rules of your own: alerts and recordings; reload Prometheus afterwards\n"
      "  *.targets.json   what else Prometheus asks for metrics, as in {}; read by itself\n"
      "\n"
      "Where alerts go is told by monitoring.alerts of topology.yaml; without receivers there, by "
      "/etc/prometheus/alertmanager.yml on\nthe host of Alertmanager, which is yours as well then.\n",
      kTargetsFolder);
}

std::string arguments(const Topology& topology, const Host& host) {
  return written_by("Own settings go into monitoring.metrics of topology.yaml.") +
         fmt::format("ARGS=\"--web.listen-address={} --storage.tsdb.retention.time={}\"\n",
                     listen_on(host, topology.prometheus->port), topology.monitoring.retention);
}

}  // namespace

std::string metrics_path(const App& app) {
  const auto own = app.settings.find("monitoring.metrics_path");
  return own == app.settings.end() ? std::string(kUsualMetricsPath) : own->second;
}

std::vector<NamedText> rule_texts(const Monitoring& monitoring) {
  std::vector<NamedText> all;
  all.reserve(embedded::monitoring_rules.size() + 1);
  for (const auto& [name, content] : embedded::monitoring_rules)
    all.push_back({.name = std::string(name), .text = std::string(content)});
  all.push_back({.name = "topology.rules.yml", .text = own_rules(monitoring)});
  return all;
}

RenderedFiles prometheus_files(const Topology& topology, const Host& host) {
  if (!topology.prometheus || topology.prometheus->host != host.name) return {};
  RenderedFiles files;
  // Before the file that names them.
  for (NamedText& rules : rule_texts(topology.monitoring)) {
    files.push_back({.path = fmt::format("{}{}", kRulesFolder, rules.name),
                     .content = std::move(rules.text),
                     .validator = "promtool check rules {}"});
  }
  for (const Monitoring::Target& target : topology.monitoring.targets)
    files.push_back({.path = own_targets_path(target), .content = own_targets_file(target)});
  for (const Job& job : jobs_of(topology))
    files.push_back({.path = targets_path(job), .content = targets_file(topology, job)});
  files.push_back({.path = fmt::format("{}README", kCustomFolder), .content = custom_readme(), .once = true});
  files.push_back({.path = "/etc/prometheus/prometheus.yml",
                   .content = prometheus_yml(topology),
                   .validator = "promtool check config {}"});
  files.push_back({.path = "/etc/default/prometheus", .content = arguments(topology, host)});
  files.push_back(start_with_network("prometheus"));
  return files;
}

}  // namespace cc::deploy
