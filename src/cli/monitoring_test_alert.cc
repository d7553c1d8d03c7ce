#include <thread>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/host_port.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/topology_file.h"
#include "deploy/notifications.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookAgain = 200ms;

struct Test {
  std::string file = "topology.yaml", url, receiver, timeout = "20s";
};

// Where Alertmanager is, and the name of the installation, where that is known.
struct Place {
  std::string url, installation;
};

Result<Place> place_of(const Test& test) {
  if (!test.url.empty()) return Place{.url = test.url};
  TRY(const deploy::Topology topology, read_topology_file(test.file));
  if (!topology.alertmanager) return wrong_usage(test.file + " has no Alertmanager: name one with --alertmanager");
  const deploy::Host& host = topology.host(topology.alertmanager->host);
  return Place{.url = "http://" + host_and_port(host.address, topology.alertmanager->port),
               .installation = topology.name};
}

class Alertmanager {
 public:
  static Result<Alertmanager> at(const Session& session, const std::string& url) {
    TRY(auto client, http::Client::make({.url = url, .ca_file = session.tls_option.ca, .timeout = 10s}));
    return Alertmanager(std::move(client), url);
  }

  Result<std::string> get(const std::string& target) { return ask({.target = target}); }
  Result<std::string> post(const std::string& target, std::string body) {
    return ask({.method = "POST",
                .target = target,
                .headers = {{"Content-Type", "application/json"}},
                .body = std::move(body)});
  }

 private:
  Alertmanager(http::Client client, std::string url) : client_(std::move(client)), url_(std::move(url)) {}

  Result<std::string> ask(const http::ClientRequest& request) {
    TRY(auto answer, client_.send(request));
    if (answer.status != 200) {
      return fail(Code::unavailable, fmt::format("{}{} answers with status {}; is it an Alertmanager? {}", url_,
                                                 request.target, answer.status, answer.body.substr(0, 300)));
    }
    return std::move(answer.body);
  }

  http::Client client_;
  std::string url_;
};

using Ways = std::map<std::string, unsigned>;
using Counts = std::map<std::string, deploy::Notifications>;

Result<Counts> counts_of(Alertmanager& alertmanager, const Ways& ways) {
  TRY(const std::string metrics, alertmanager.get("/metrics"));
  Counts counts;
  for (const auto& [way, count] : ways)
    counts[way] = deploy::notifications_in(metrics, way);
  return counts;
}

// By its routes: anybody else would be told, too.
Result<> must_be_for(Alertmanager& alertmanager, const deploy::TestAlert& alert) {
  TRY(const std::string answer,
      alertmanager.get("/api/v2/alerts?filter=" + percent_encode(fmt::format("test=\"{}\"", alert.id))));
  std::vector<std::string> told;
  for (const auto& each : boost::json::parse(answer).as_array())
    for (const auto& receiver : each.at("receivers").as_array())
      told.emplace_back(receiver.at("name").as_string());
  if (told == std::vector{alert.receiver}) return {};
  return fail(Code::conflict,
              fmt::format("the routes of this Alertmanager send the test to \"{}\": give it one with the matchers "
                          "alertname=\"{}\" and receiver=\"{}\", as in what config-center monitoring render writes",
                          fmt::join(told, ", "), deploy::kTestAlert, alert.receiver));
}

// Until each way has brought it.
Result<> must_arrive(Alertmanager& alertmanager, const Ways& ways, const Counts& before, const Deadline& until) {
  while (true) {
    TRY(Counts now, counts_of(alertmanager, ways));
    std::vector<std::string> missing, failed;
    for (const auto& [way, count] : ways) {
      if (now[way].sent < before.at(way).sent + count) missing.push_back(way);
      if (now[way].failed > before.at(way).failed) failed.push_back(way);
    }
    if (missing.empty()) return {};
    if (until.passed()) {
      return fail(Code::unavailable,
                  failed.empty()
                      ? fmt::format("nothing went out by {} yet: is the alert silenced?", fmt::join(missing, ", "))
                      : fmt::format("it fails by {}: what Alertmanager says of it is in its log (journalctl -u "
                                    "prometheus-alertmanager)",
                                    fmt::join(failed, ", ")));
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

Result<> test_alert(Session& session, const Test& test) {
  auto patience = parse_duration(test.timeout);
  if (!patience) return wrong_usage(std::move(patience).error());
  TRY(const Place place, place_of(test));
  TRY(Alertmanager alertmanager, Alertmanager::at(session, place.url));
  TRY(const std::string status, alertmanager.get("/api/v2/status"));
  TRY(const Ways ways,
      deploy::ways_to_tell(boost::json::parse(status).at("config").at("original").as_string(), test.receiver));
  if (ways.empty()) return fail(Code::conflict, fmt::format("the receiver \"{}\" is told by nothing", test.receiver));
  TRY(const Counts before, counts_of(alertmanager, ways));
  const SystemClock clock;
  const deploy::TestAlert alert{
      .receiver = test.receiver, .installation = place.installation, .id = random_id(), .at = clock.wall()};
  TRYV(alertmanager.post("/api/v2/alerts", deploy::to_json(alert)));
  TRYV(must_be_for(alertmanager, alert));
  TRYV(must_arrive(alertmanager, ways, before, {clock, clock.now() + *patience}));
  boost::json::array by;
  std::vector<std::string> names;
  for (const auto& [way, count] : ways) {
    by.emplace_back(way);
    names.push_back(way);
  }
  return session.print({{"receiver", test.receiver}, {"alertmanager", place.url}, {"by", by}, {"test", alert.id}}, [&] {
    return fmt::format(
        "told {} by {}. In a minute it ends, of which is told as well, where the receiver wants that (send_resolved)\n",
        test.receiver, fmt::join(names, ", "));
  });
}

}  // namespace

void add_monitoring_test_alert(CLI::App& group, Session& session) {
  auto test = std::make_shared<Test>();
  CLI::App* command = add_command(group, "test-alert", "Send a real notification through the running Alertmanager");
  command->add_option("receiver", test->receiver, "One of its receivers; nobody else is told")
      ->required()
      ->type_name("RECEIVER");
  add_topology_option(*command, test->file);
  command->add_option("--alertmanager", test->url, "Address of an Alertmanager, instead of the topology's")
      ->type_name("URL");
  command->add_option("--timeout", test->timeout, "How long it may take")->capture_default_str()->type_name("DURATION");
  command->footer(examples({"config-center monitoring test-alert operators",
                            "config-center monitoring test-alert on-call -t prod.yaml -o json",
                            "config-center monitoring test-alert chat --alertmanager http://127.0.0.1:9093"}));
  on_run(*command, session, [&session, test] { return test_alert(session, *test); });
}

}  // namespace cc::cli
