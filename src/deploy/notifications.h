// Whether alerts arrive: an alert that says nothing else, and what Alertmanager counts. The routes that come with an
// installation send it to the receiver that it names and to nobody else, at once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace cc::deploy {

inline constexpr std::string_view kTestAlert = "ConfigCenterTest";

struct TestAlert {
  std::string receiver, installation;
  std::string id;  // unlike any before: each is told of
  Wall at;
};

// What is posted to /api/v2/alerts. It ends by itself after a minute.
std::string to_json(const TestAlert& alert);

// How a receiver is told, by an alertmanager.yml: "email", "webhook" …, and how many of each. not_found, with those
// that there are, when it has no such receiver.
Result<std::map<std::string, unsigned>> ways_to_tell(std::string_view settings, std::string_view receiver);

// How many notifications arrived, and how many did not, of one way ("email"), by Alertmanager's own metrics.
struct Notifications {
  double sent = 0, failed = 0;
};
Notifications notifications_in(std::string_view metrics, std::string_view way);

}  // namespace cc::deploy
