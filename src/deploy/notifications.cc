#include "deploy/notifications.h"

#include <cstdlib>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include "base/text.h"

namespace cc::deploy {
namespace {

using namespace std::chrono_literals;

// The sum over all series of that name with integration="way".
double sum_of(std::string_view metrics, std::string_view name, std::string_view way) {
  const std::string begin = fmt::format("{}{{", name), label = fmt::format("integration=\"{}\"", way);
  double sum = 0;
  for (const std::string_view line : split(metrics, '\n')) {
    if (line.starts_with(begin) && line.find(label) != std::string_view::npos)
      sum += std::strtod(std::string(line.substr(line.rfind(' ') + 1)).c_str(), nullptr);
  }
  return sum;
}

}  // namespace

std::string to_json(const TestAlert& alert) {
  boost::json::object labels{
      {"alertname", kTestAlert}, {"severity", "none"}, {"receiver", alert.receiver}, {"test", alert.id}};
  if (!alert.installation.empty()) labels["installation"] = alert.installation;
  const boost::json::object annotations{
      {"summary", fmt::format("A test: alerts reach {}", alert.receiver)},
      {"description", "Somebody ran config-center monitoring test-alert. There is nothing to do."}};
  return boost::json::serialize(boost::json::array{boost::json::object{{"labels", std::move(labels)},
                                                                       {"annotations", annotations},
                                                                       {"startsAt", format_time(alert.at)},
                                                                       {"endsAt", format_time(alert.at + 1min)}}});
}

Result<std::map<std::string, unsigned>> ways_to_tell(std::string_view settings, std::string_view receiver) {
  constexpr std::string_view kEnd = "_configs";
  try {
    std::vector<std::string> others;
    for (const YAML::Node& each : YAML::Load(std::string(settings))["receivers"]) {
      others.push_back(each["name"].as<std::string>());
      if (others.back() != receiver) continue;
      std::map<std::string, unsigned> ways;
      for (const auto& member : each) {
        const auto name = member.first.as<std::string>();
        if (name.ends_with(kEnd) && member.second.size() > 0)
          ways[name.substr(0, name.size() - kEnd.size())] = static_cast<unsigned>(member.second.size());
      }
      return ways;
    }
    return fail(Code::not_found,
                fmt::format("Alertmanager has no receiver \"{}\"; it has: {}", receiver, fmt::join(others, ", ")));
  } catch (const YAML::Exception& e) {
    return fail(Code::invalid_argument, fmt::format("the settings of Alertmanager cannot be read: {}", e.what()));
  }
}

Notifications notifications_in(std::string_view metrics, std::string_view way) {
  const double failed = sum_of(metrics, "alertmanager_notification_requests_failed_total", way);
  return {.sent = sum_of(metrics, "alertmanager_notification_requests_total", way) - failed, .failed = failed};
}

}  // namespace cc::deploy
