#include "deploy/topology_monitoring.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace cc::deploy {
namespace {

using Type = Monitoring::Receiver::Type;

constexpr std::array<std::pair<std::string_view, Type>, 4> kTypes{
    {{"email", Type::email}, {"slack", Type::slack}, {"webhook", Type::webhook}, {"pagerduty", Type::pagerduty}}};
// Of the settings of receivers. A topology is read by many, and kept with the source of others.
constexpr std::array<std::string_view, 5> kSecrets{"auth_password", "auth_secret", "api_url", "routing_key",
                                                   "service_key"};

Result<Type> type_of(std::string_view text) {
  const auto found = std::ranges::find(kTypes, text, &std::pair<std::string_view, Type>::first);
  if (found != kTypes.end()) return found->second;
  return fail(Code::invalid_argument, fmt::format("there is no type \"{}\": email, slack, webhook or pagerduty", text));
}

void read_metrics(Fields& fields, Monitoring& monitoring) {
  fields.read("scrape_interval", monitoring.scrape_interval);
  fields.read("retention_period", monitoring.retention);
  fields.list("targets", [&](Fields& at) {
    auto& target = monitoring.targets.emplace_back();
    at.require("job", "shop");
    at.require("targets", "[\"10.0.0.71:9000\"]");
    at.read("job", target.job);
    at.read("path", target.path);
    at.read("targets", target.targets);
    at.read("labels", target.labels);
  });
}

void read_receiver(Fields& at, Monitoring& monitoring) {
  auto& receiver = monitoring.receivers.emplace_back();
  at.require("name", "operators");
  at.require("type", "email");
  at.read("name", receiver.name);
  at.parse<Type>("type", receiver.type, type_of);
  at.read("config", receiver.config);
  for (const std::string_view secret : kSecrets) {
    if (receiver.config.contains(std::string(secret)))
      at.wrong(
          "config",
          fmt::format("{0} is a secret: keep it in a file on the host of Alertmanager, and give {0}_file", secret));
  }
  const bool unique = std::ranges::count(monitoring.receivers, receiver.name, &Monitoring::Receiver::name) == 1;
  if (!unique) at.wrong("name", fmt::format("there are two receivers \"{}\"", receiver.name));
}

void read_route(Fields& at, const Monitoring& monitoring, Monitoring::Route& route) {
  at.require("receiver", "operators");
  at.read("receiver", route.receiver);
  if (std::ranges::find(monitoring.receivers, route.receiver, &Monitoring::Receiver::name) ==
      monitoring.receivers.end()) {
    at.wrong("receiver", fmt::format("there is no receiver \"{}\" in monitoring.alerts.receivers", route.receiver));
  }
  at.read("group_by", route.group_by);
  at.read("matchers", route.matchers);
  at.read("group_wait", route.group_wait);
  at.read("group_interval", route.group_interval);
  at.read("repeat_interval", route.repeat_interval);
  at.list("routes", [&](Fields& child) { read_route(child, monitoring, route.routes.emplace_back()); });
}

void read_alerts(Fields& fields, Monitoring& monitoring) {
  fields.list("rules", [&](Fields& at) {
    auto& rule = monitoring.rules.emplace_back();
    at.require("name", "ShopSlow");
    at.require("expr", "up == 0");
    at.read("name", rule.name);
    at.read("expr", rule.expr);
    at.read("duration", rule.duration);
    at.read("labels", rule.labels);
    at.read("annotations", rule.annotations);
  });
  fields.list("receivers", [&](Fields& at) { read_receiver(at, monitoring); });
  fields.list("routes", [&](Fields& at) { read_route(at, monitoring, monitoring.routes.emplace_back()); });
}

void read_dashboards(Fields& fields, Monitoring& monitoring) {
  std::string refresh;
  fields.read("refresh_interval", refresh);
  fields.list("templates", [&](Fields& at) {
    std::string name;
    at.require("name", "Shop");
    at.read("name", name);
    std::string description, jobs, own_refresh = refresh;
    at.read("description", description);
    at.read("jobs", jobs);
    at.read("refresh", own_refresh);
    YAML::Node whole;
    for (const auto& [member, text] : {std::pair("name", &name), std::pair("description", &description),
                                       std::pair("jobs", &jobs), std::pair("refresh", &own_refresh)}) {
      if (!text->empty()) whole[member] = *text;
    }
    whole["panels"] = YAML::Load(at.yaml("panels"));
    auto dashboard = monitor::parse_dashboard(YAML::Dump(whole));
    if (dashboard) {
      monitoring.dashboards.push_back(*std::move(dashboard));
    } else {
      at.wrong("panels", dashboard.error().message);
    }
  });
}

}  // namespace

void read_monitoring(Fields& fields, Monitoring& monitoring) {
  fields.section("metrics", [&](Fields& at) { read_metrics(at, monitoring); });
  fields.section("alerts", [&](Fields& at) { read_alerts(at, monitoring); });
  fields.section("dashboards", [&](Fields& at) { read_dashboards(at, monitoring); });
}

}  // namespace cc::deploy
