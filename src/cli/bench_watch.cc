#include <thread>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/address.h"
#include "cli/bench_config.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/terminal.h"

namespace cc::cli {
namespace {

using Moment = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

constexpr std::string_view kLongestWait = "5m";

struct Options {
  std::size_t watchers = 1000, rounds = 1;
  std::string settle = "1s", timeout = "30s";
  BenchPlace place;
};

class Watchers {
 public:
  Watchers(const Options& options, Swarm& swarm, BenchConfigs& configs)
      : options_(options), swarm_(swarm), configs_(configs) {}

  Result<Measured> run(const Endpoint& endpoint, const std::string& token, milliseconds settle, milliseconds timeout) {
    const ConfigKey key = configs_.key("watch");
    TRY(Revision revision, configs_.publish(key, "bench watch"));
    measured_.connections = swarm_.size();
    for (std::size_t round = 1; round <= options_.rounds; ++round) {
      const std::string target = with_query(path_of("/v1/configs", key),
                                            {{"after", std::to_string(revision)}, {"wait", std::string(kLongestWait)}});
      TRYV(arm(request_head("GET", target, endpoint, token), settle));
      TRY(revision, publish_and_collect(key, round, timeout));
    }
    return measured_;
  }

 private:
  static Moment now() { return std::chrono::steady_clock::now(); }

  // Every connection waits; nothing may be answered yet.
  Result<> arm(const std::string& request, milliseconds settle) {
    answered_ = 0;
    Progress progress("waiting", swarm_.size());
    for (std::size_t at = 0; at < swarm_.size(); ++at) {
      swarm_.send(at, request);
      progress.advance();
    }
    const auto too_early = [&](std::size_t, unsigned status) {
      ++answered_;
      early_status_ = status;
    };
    const auto lost = [&](std::size_t) { ++measured_.lost; };
    for (const Moment until = now() + settle; now() < until && HeldSignals::noted() == 0;)
      TRYV(swarm_.poll(std::chrono::duration_cast<milliseconds>(until - now()) + milliseconds(1), too_early, lost));
    if (HeldSignals::noted() != 0) return fail(Code::unavailable, "interrupted");
    if (answered_ > 0) {
      return fail(Code::internal, fmt::format("{} of {} were answered before anything changed, the last with status {}",
                                              answered_, swarm_.size(), early_status_));
    }
    if (measured_.lost > 0) {
      return fail(Code::unavailable, fmt::format("the server closed {} of {} connections; it may allow fewer "
                                                 "(server.max_connections, or its limit on open files)",
                                                 measured_.lost, swarm_.size()));
    }
    return {};
  }

  Result<Revision> publish_and_collect(const ConfigKey& key, std::size_t round, milliseconds timeout) {
    const Moment start = now();
    Result<Revision> published = 0;
    std::thread publisher([&] { published = configs_.publish(key, fmt::format("round {}", round)); });
    const auto on_reply = [&](std::size_t, unsigned status) {
      ++answered_;
      ++measured_.statuses[status];
      measured_.latencies_us.push_back(
          static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(now() - start).count()));
    };
    const auto on_lost = [&](std::size_t) { ++measured_.lost; };
    Result<> polled;
    while (polled && answered_ + measured_.lost < swarm_.size() && now() < start + timeout && HeldSignals::noted() == 0)
      polled = swarm_.poll(milliseconds(100), on_reply, on_lost);
    measured_.seconds += std::chrono::duration<double>(now() - start).count();
    publisher.join();
    if (HeldSignals::noted() != 0) return fail(Code::unavailable, "interrupted");
    if (!published) return published;
    if (!polled) return fail(std::move(polled).error());
    measured_.lost += swarm_.size() - answered_ - measured_.lost;
    return published;
  }

  const Options& options_;
  Swarm& swarm_;
  BenchConfigs& configs_;
  Measured measured_;
  std::size_t answered_ = 0;
  unsigned early_status_ = 0;
};

Result<> bench_watch(Session& session, const Options& options) {
  const auto settle = parse_duration(options.settle), timeout = parse_duration(options.timeout);
  if (!settle) return wrong_usage(settle.error());
  if (!timeout) return wrong_usage(timeout.error());
  TRY(const std::string url, session.server());
  TRY(const std::string token, session.token());
  TRY(const Endpoint endpoint, Endpoint::of_url(url));
  BenchConfigs configs(session, options.place);
  TRYV(allow_connections(options.watchers));
  TRY(const auto swarm, Swarm::open(endpoint, options.watchers));
  TRY(Measured measured, Watchers(options, *swarm, configs).run(endpoint, token, *settle, *timeout));
  return print_measured(session, std::move(measured), true);
}

}  // namespace

void add_bench_watch(CLI::App& bench, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      bench, "watch", "Let many connections wait for one config, publish it, and time until all are answered");
  command->add_option("-w,--watchers", options->watchers, "How many wait, a connection each")
      ->capture_default_str()
      ->check(between(1, 1'000'000))
      ->type_name("N");
  command->add_option("--rounds", options->rounds, "How often that is done")
      ->capture_default_str()
      ->check(between(1, 1'000'000))
      ->type_name("N");
  command->add_option("--settle", options->settle, "Pause after all have asked, before publishing")
      ->capture_default_str()
      ->type_name("TIME");
  command->add_option("--timeout", options->timeout, "An answer later than this is lost")
      ->capture_default_str()
      ->type_name("TIME");
  add_bench_place(*command, options->place);
  command->footer(examples({
      "config-center bench watch",
      "config-center bench watch --watchers 15000 -o json      latencies count from the publish to each answer",
  }));
  on_run(*command, session, [&session, options] { return bench_watch(session, *options); });
}

}  // namespace cc::cli
