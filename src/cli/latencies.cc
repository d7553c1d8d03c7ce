#include "cli/latencies.h"

#include <algorithm>
#include <cmath>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace cc::cli {
namespace {

double milliseconds(std::uint32_t us) {
  return static_cast<double>(us) / 1000;
}

// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number) {
  std::string out = std::to_string(number);
  for (std::size_t at = out.size(); at > 3;)
    out.insert(at -= 3, ",");
  return out;
}

}  // namespace

std::uint32_t percentile(const std::vector<std::uint32_t>& sorted, double percent) {
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

void Measured::add(const Measured& other) {
  latencies_us.insert(latencies_us.end(), other.latencies_us.begin(), other.latencies_us.end());
  for (const auto& [status, count] : other.statuses)
    statuses[status] += count;
  lost += other.lost;
  seconds = std::max(seconds, other.seconds);
  connections += other.connections;
}

std::uint64_t Measured::answers() const {
  std::uint64_t sum = 0;
  for (const auto& [status, count] : statuses)
    sum += count;
  return sum;
}

std::uint64_t Measured::failures() const {
  std::uint64_t sum = lost;
  for (const auto& [status, count] : statuses)
    if (status >= 400) sum += count;
  return sum;
}

void Measured::sort() {
  std::ranges::sort(latencies_us);
}

boost::json::value Measured::to_json() {
  sort();
  boost::json::object latency, by_status;
  if (!latencies_us.empty()) {
    latency = {{"p50", milliseconds(percentile(latencies_us, 50))},
               {"p90", milliseconds(percentile(latencies_us, 90))},
               {"p99", milliseconds(percentile(latencies_us, 99))},
               {"max", milliseconds(latencies_us.back())}};
  }
  for (const auto& [status, count] : statuses)
    by_status[std::to_string(status)] = count;
  return {{"requests", answers()},
          {"seconds", seconds},
          {"per_second", seconds > 0 ? static_cast<double>(answers()) / seconds : 0.0},
          {"connections", connections},
          {"latency_ms", latency},
          {"statuses", by_status},
          {"lost", lost}};
}

std::string Measured::to_text() {
  sort();
  std::string out = fmt::format("requests    {} in {:.1f} s over {} connections\n", grouped(answers()), seconds,
                                grouped(connections));
  if (seconds > 0) {
    out += fmt::format("throughput  {} requests/s\n",
                       grouped(static_cast<std::uint64_t>(static_cast<double>(answers()) / seconds)));
  }
  return out + latency_text() + status_text();
}

std::string Measured::to_watch_text() {
  sort();
  std::string out = fmt::format("watchers    {}, a connection each\n", grouped(connections));
  if (!latencies_us.empty() && lost == 0) {
    out += fmt::format("answered    all within {:.1f} ms of the publish\n", milliseconds(latencies_us.back()));
  }
  return out + latency_text() + status_text();
}

std::string Measured::latency_text() const {
  if (latencies_us.empty()) return "";
  return fmt::format("latency     p50 {:.3f} ms   p90 {:.3f} ms   p99 {:.3f} ms   max {:.3f} ms\n",
                     milliseconds(percentile(latencies_us, 50)), milliseconds(percentile(latencies_us, 90)),
                     milliseconds(percentile(latencies_us, 99)), milliseconds(latencies_us.back()));
}

std::string Measured::status_text() const {
  std::string line;
  for (const auto& [status, count] : statuses)
    line += fmt::format("{}{}: {}", line.empty() ? "" : "   ", status, grouped(count));
  std::string out = fmt::format("statuses    {}\n", line.empty() ? "none" : line);
  if (lost > 0) out += fmt::format("lost        {} connections ended while an answer was due\n", grouped(lost));
  return out;
}

}  // namespace cc::cli
