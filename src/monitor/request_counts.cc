#include "monitor/request_counts.h"

namespace cc::monitor {

void RequestCounts::add(std::string_view route, std::string_view method, unsigned status,
                        std::optional<std::chrono::nanoseconds> took) {
  if (route.empty()) route = "none";
  auto count = counts_.find(std::tuple(route, method, status));
  auto latency = latencies_.find(route);
  if (count == counts_.end() || latency == latencies_.end()) {
    const std::lock_guard lock(mutex_);
    count = counts_.try_emplace(Key(route, method, status)).first;
    latency = latencies_.try_emplace(std::string(route)).first;
  }
  count->second.store(count->second.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (took) latency->second.add(*took);
}

void RequestCounts::sample(std::map<Key, std::uint64_t>& counts,
                           std::map<std::string, Histogram::Sample>& latencies) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, count] : counts_)
    counts[key] += count.load(std::memory_order_relaxed);
  for (const auto& [route, latency] : latencies_)
    latencies[route] += latency.sample();
}

}  // namespace cc::monitor
