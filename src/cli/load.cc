#include "cli/load.h"

#include <algorithm>
#include <deque>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/check.h"
#include "cli/signals.h"
#include "cli/terminal.h"

namespace cc::cli {
namespace {

using Moment = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kLongestAnswer(5);

struct Times {
  Moment counted_from, end;
};

Result<Measured> run_thread(Swarm& swarm, std::size_t first, const LoadOptions& options, const MakeRequest& request,
                            const Times& times, const std::function<void(Moment)>& on_turn) {
  const auto now = [] { return std::chrono::steady_clock::now(); };
  Measured measured;
  measured.connections = swarm.size();
  measured.latencies_us.reserve(1 << 20);
  std::vector<std::deque<Moment>> sent(swarm.size());
  bool sending = true;
  std::string out;
  const auto send_one = [&](std::size_t at, Moment when) {
    out.clear();
    request(first + at, out);
    sent[at].push_back(when);
    swarm.send(at, out);
  };
  const auto fill = [&](std::size_t at) {
    for (std::size_t i = 0; i < options.in_flight; ++i)
      send_one(at, now());
  };
  for (std::size_t at = 0; at < swarm.size(); ++at)
    fill(at);

  const auto on_reply = [&](std::size_t at, unsigned status) {
    const Moment then = now();
    if (then >= times.counted_from && then < times.end) {
      const auto took = std::chrono::duration_cast<std::chrono::microseconds>(then - sent[at].front());
      measured.latencies_us.push_back(static_cast<std::uint32_t>(took.count()));
      ++measured.statuses[status];
    }
    sent[at].pop_front();
    if (sending) send_one(at, then);
  };
  const auto on_lost = [&](std::size_t at) {
    ++measured.lost;
    sent[at].clear();
    if (sending) fill(at);
  };
  for (Moment turn = now(); turn < times.end && HeldSignals::noted() == 0; turn = now()) {
    TRYV(swarm.poll(milliseconds(100), on_reply, on_lost));
    on_turn(turn);
  }
  // What is on its way is waited for: else it would be done after the bench has cleaned up.
  sending = false;
  const auto all_answered = [&] { return std::ranges::all_of(sent, &std::deque<Moment>::empty); };
  for (const Moment give_up = now() + kLongestAnswer; now() < give_up && !all_answered();)
    TRYV(swarm.poll(milliseconds(100), on_reply, on_lost));
  measured.seconds = std::chrono::duration<double>(times.end - times.counted_from).count();
  return measured;
}

}  // namespace

void add_load_options(CLI::App& command, LoadOptions& options) {
  command.add_option("-c,--connections", options.connections, "Keep-alive connections")
      ->capture_default_str()
      ->check(between(1, 1'000'000))
      ->type_name("N");
  command.add_option("--in-flight", options.in_flight, "Requests in flight on each connection")
      ->capture_default_str()
      ->check(between(1, 10'000))
      ->type_name("N");
  command.add_option("--threads", options.threads, "Threads that share the connections")
      ->capture_default_str()
      ->check(between(1, 256))
      ->type_name("N");
  command.add_option("-d,--duration", options.duration, "How long is measured")
      ->capture_default_str()
      ->type_name("TIME");
  command.add_option("--warmup", options.warmup, "How long before that is not")
      ->capture_default_str()
      ->type_name("TIME");
}

Result<Measured> run_load(const Endpoint& endpoint, const LoadOptions& options, const MakeRequest& request) {
  const auto duration = parse_duration(options.duration), warmup = parse_duration(options.warmup);
  if (!duration) return wrong_usage(duration.error());
  if (!warmup) return wrong_usage(warmup.error());
  TRYV(allow_connections(options.connections));
  const std::size_t threads = std::min(options.threads, options.connections);
  std::vector<std::unique_ptr<Swarm>> swarms;
  for (std::size_t i = 0; i < threads; ++i) {
    const std::size_t share = options.connections / threads + (i < options.connections % threads ? 1 : 0);
    TRY(auto swarm, Swarm::open(endpoint, share));
    swarms.push_back(std::move(swarm));
  }

  const Moment start = std::chrono::steady_clock::now();
  const Times times{start + *warmup, start + *warmup + *duration};
  Progress progress("loading (ms)", static_cast<std::uint64_t>((*duration + *warmup).count()));
  std::uint64_t shown = 0;
  const auto show = [&](Moment turn) {
    const auto elapsed = static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(turn - start).count());
    progress.advance(elapsed - shown);
    shown = elapsed;
  };
  std::vector<Result<Measured>> results(threads);
  std::vector<std::thread> running;
  std::size_t first = 0;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i, first] {
      const auto nothing = [](Moment) {};
      results[i] = run_thread(*swarms[i], first, options, request, times,
                              i == 0 ? std::function<void(Moment)>(show) : std::function<void(Moment)>(nothing));
    });
    first += swarms[i]->size();
  }
  for (std::thread& each : running)
    each.join();
  if (HeldSignals::noted() != 0) return fail(Code::unavailable, "interrupted");
  Measured all;
  for (Result<Measured>& each : results) {
    if (!each) return fail(std::move(each).error());
    all.add(*each);
  }
  return all;
}

std::string request_head(std::string_view method, const std::string& target, const Endpoint& endpoint,
                         const std::string& bearer, const std::string& further_headers) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n{}{}\r\n", method, target, endpoint.host,
                     bearer.empty() ? "" : fmt::format("Authorization: Bearer {}\r\n", bearer), further_headers);
}

Result<> print_measured(Session& session, Measured measured, bool watched) {
  TRYV(session.print(measured.to_json(), [&] { return watched ? measured.to_watch_text() : measured.to_text(); }));
  if (measured.answers() == 0) return fail(Code::unavailable, "nothing was answered in the measured time");
  if (measured.failures() > 0) {
    return fail(Code::internal,
                fmt::format("{} of {} requests failed", measured.failures(), measured.answers() + measured.lost));
  }
  return {};
}

}  // namespace cc::cli
