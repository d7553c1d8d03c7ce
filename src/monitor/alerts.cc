#include "monitor/alerts.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"

namespace cc::monitor {
namespace {

// {{ $labels.host }} and {{ $value }}; anything else in braces stays.
std::string fill_in(std::string_view text, const LabelMap& labels, double value) {
  std::string out;
  while (true) {
    const std::size_t begin = text.find("{{"), end = text.find("}}", begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return out.append(text);
    out += text.substr(0, begin);
    const std::string_view what = trim(text.substr(begin + 2, end - begin - 2));
    constexpr std::string_view kLabel = "$labels.";
    if (what == "$value") {
      out += fmt::format("{}", value);
    } else if (what.starts_with(kLabel)) {
      const auto found = labels.find(std::string(what.substr(kLabel.size())));
      if (found != labels.end()) out += found->second;
    } else {
      out += text.substr(begin, end + 2 - begin);
    }
    text = text.substr(end + 2);
  }
}

boost::json::object to_object(const LabelMap& map) {
  boost::json::object object;
  for (const auto& [name, value] : map)
    object[name] = value;
  return object;
}

// What all of them have.
LabelMap in_common(const std::vector<Alert>& alerts, LabelMap Alert::* member) {
  LabelMap common = alerts.front().*member;
  for (const Alert& each : alerts) {
    std::erase_if(common, [&](const auto& one) {
      const auto found = (each.*member).find(one.first);
      return found == (each.*member).end() || found->second != one.second;
    });
  }
  return common;
}

constexpr std::string_view status_of(bool firing) {
  return firing ? "firing" : "resolved";
}

}  // namespace

bool Notification::firing() const {
  return std::ranges::any_of(alerts, &Alert::firing);
}

std::string to_json(const Notification& notification, const std::string& source) {
  boost::json::array alerts;
  for (const Alert& each : notification.alerts) {
    alerts.push_back({{"status", status_of(each.firing)},
                      {"labels", to_object(each.labels)},
                      {"annotations", to_object(each.annotations)},
                      {"startsAt", format_time(each.began)},
                      {"endsAt", each.firing ? "0001-01-01T00:00:00Z" : format_time(each.ended)},  // as Go has "none"
                      {"generatorURL", source},
                      {"fingerprint", sha256_hex(boost::json::serialize(to_object(each.labels))).substr(0, 16)}});
  }
  return boost::json::serialize(
      boost::json::object{{"version", "4"},
                          {"groupKey", fmt::format("{{}}:{{alertname=\"{}\"}}", notification.rule)},
                          {"truncatedAlerts", 0},
                          {"status", status_of(notification.firing())},
                          {"receiver", "config-center"},
                          {"groupLabels", {{"alertname", notification.rule}}},
                          {"commonLabels", to_object(in_common(notification.alerts, &Alert::labels))},
                          {"commonAnnotations", to_object(in_common(notification.alerts, &Alert::annotations))},
                          {"externalURL", source},
                          {"alerts", std::move(alerts)}});
}

std::vector<Notification> Alerts::look(const std::vector<Series>& page, Mono now, Wall time) {
  std::vector<Notification> all;
  for (const AlertRule& rule : rules_.rules) {
    Notification one = look(rule, known_[rule.name], page, now, time);
    if (!one.alerts.empty()) all.push_back(std::move(one));
  }
  return all;
}

Notification Alerts::look(const AlertRule& rule, Known& known, const std::vector<Series>& page, Mono now, Wall time) {
  Notification notification{.rule = rule.name};
  bool changed = false;
  std::set<LabelMap> holds;
  for (const Series& series : page) {
    if (!rule.condition.holds(series)) continue;
    holds.insert(series.labels);
    State& state = known.alerts.try_emplace(series.labels, State{.alert = {.began = time}, .since = now}).first->second;
    Alert& alert = state.alert;
    alert.labels = {{"alertname", rule.name}};
    for (const LabelMap& some : {rule.labels, series.labels, own_})
      alert.labels.insert(some.begin(), some.end());
    for (const auto& [name, text] : rule.annotations)
      alert.annotations[name] = fill_in(text, alert.labels, series.value);
    if (!state.fires && now - state.since >= rule.duration) {
      state.fires = changed = true;
      alert.began = time;
    }
    if (state.fires) notification.alerts.push_back(alert);
  }
  for (auto at = known.alerts.begin(); at != known.alerts.end();) {
    auto& [labels, state] = *at;
    if (holds.contains(labels)) {
      ++at;
      continue;
    }
    if (state.fires) {
      changed = true;
      state.alert.firing = false;
      state.alert.ended = time;
      notification.alerts.push_back(std::move(state.alert));
    }
    at = known.alerts.erase(at);
  }
  if (!changed && now - known.told < rules_.repeat_interval) notification.alerts.clear();
  if (!notification.alerts.empty()) known.told = now;
  return notification;
}

}  // namespace cc::monitor
