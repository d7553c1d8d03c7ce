#include "node/alerting.h"

#include <unistd.h>

#include <array>

#include <fmt/format.h>

#include "base/backoff.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pause.h"
#include "http/client.h"
#include "http/url.h"

namespace cc::node {
namespace {

using namespace std::chrono_literals;

const Logger kLog{"alerting"};
constexpr std::size_t kMostWaiting = 200;  // of notifications that a webhook has not taken
constexpr auto kPatience = 5s;             // with a webhook

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

// Whose alerts they are.
monitor::LabelMap own_labels(const std::string& address) {
  return {{"host", host_name()}, {"instance", address}};
}

struct Webhook {
  std::string server, path;
};

Result<Webhook> parse_webhook(const std::string& url) {
  const std::size_t path = url.find('/', url.find("://") + 3);
  const bool bare = path == std::string::npos;
  Webhook webhook{.server = url.substr(0, path), .path = bare ? "/" : url.substr(path)};
  TRYV(http::parse_server_url(webhook.server));
  return webhook;
}

Result<http::ClientResponse> post(const std::string& url, const std::string& notification) {
  TRY(const Webhook webhook, parse_webhook(url));
  TRY(auto client, http::Client::make({.url = webhook.server, .timeout = kPatience}));
  return client.send({.method = "POST",
                      .target = webhook.path,
                      .headers = {{"Content-Type", "application/json"}},
                      .body = notification});
}

// Whether it may be taken later. As Alertmanager does: who says that it is wrong says so the next time, too.
bool may_be_taken_later(const Result<http::ClientResponse>& answer) {
  return !answer || answer->status >= 500 || answer->status == 429;
}

std::string reason_of(const Result<http::ClientResponse>& answer) {
  return answer ? fmt::format("it answers with status {}", answer->status) : answer.error().message;
}

}  // namespace

Result<std::optional<monitor::AlertRules>> alert_rules_of(const Settings& settings) {
  const std::string& file = settings.monitoring.alert_rules;
  if (file.empty()) return std::nullopt;
  auto content = read_file(file);
  if (!content) return fail(Code::invalid_argument, fmt::format("monitoring.alert_rules: {}", content.error().message));
  auto rules = monitor::parse_alert_rules(*content);
  if (!rules) return fail(std::move(rules).error().with_context(fmt::format("monitoring.alert_rules: {}", file)));
  for (const std::string& url : rules->webhooks) {
    if (auto webhook = parse_webhook(url); !webhook)
      return fail(std::move(webhook).error().with_context(fmt::format("monitoring.alert_rules: {}", file)));
  }
  return rules;
}

Alerting::Alerting(monitor::AlertRules rules, const std::string& address, std::function<std::string()> page,
                   const Clock& clock)
    : alerts_(std::move(rules), own_labels(address)), address_(address), page_(std::move(page)), clock_(clock) {
  for (const std::string& url : alerts_.rules().webhooks) {
    Outbox& outbox = outboxes_.emplace_back();
    outbox.url = url;
    outbox.thread = std::jthread([&outbox](const std::stop_token& stop) { tell(outbox, stop); });
  }
  looking_ = std::jthread([this](const std::stop_token& stop) { look(stop); });
}

Alerting::~Alerting() {
  stop_looking();
  for (Outbox& each : outboxes_)
    each.thread.request_stop();
}

void Alerting::stop_looking() {
  looking_.request_stop();
  if (looking_.joinable()) looking_.join();
}

void Alerting::look(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    for (const monitor::Notification& each : alerts_.look(monitor::parse_page(page_()), clock_.now(), clock_.wall())) {
      kLog.warn(each.firing() ? "an alert fires" : "an alert has ended",
                {{"alert", each.rule}, {"series", each.alerts.size()}});
      const std::string notification = to_json(each, "http://" + address_);
      for (Outbox& outbox : outboxes_)
        put(outbox, notification);
    }
    pause_for(alerts_.rules().interval, stop);
  }
}

void Alerting::put(Outbox& outbox, const std::string& notification) {
  {
    const std::lock_guard lock(outbox.mutex);
    if (outbox.waiting.size() == kMostWaiting) {
      kLog.error("a webhook takes no alerts: the oldest is given up", {{"webhook", outbox.url}});
      outbox.waiting.pop_front();
    }
    outbox.waiting.push_back(notification);
  }
  outbox.filled.notify_one();
}

void Alerting::tell(Outbox& outbox, const std::stop_token& stop) {
  while (true) {
    std::string notification;
    {
      std::unique_lock lock(outbox.mutex);
      if (!outbox.filled.wait(lock, stop, [&] { return !outbox.waiting.empty(); })) return;
      notification = std::move(outbox.waiting.front());
      outbox.waiting.pop_front();
    }
    auto answer = post(outbox.url, notification);
    if (may_be_taken_later(answer)) {
      kLog.warn("an alert was not told yet; it is tried again",
                {{"webhook", outbox.url}, {"reason", reason_of(answer)}});
    }
    for (Backoff backoff; may_be_taken_later(answer); answer = post(outbox.url, notification)) {
      backoff.wait(stop);
      if (stop.stop_requested()) return;
    }
    if (answer->status >= 300)
      kLog.error("a webhook refuses to be told of an alert", {{"webhook", outbox.url}, {"reason", reason_of(answer)}});
  }
}

}  // namespace cc::node
