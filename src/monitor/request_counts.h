// What one I/O thread answered, by route, method and status. Only that thread adds; any thread samples. The thread
// takes the lock only when a combination is seen for the first time.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "monitor/histogram.h"

namespace cc::monitor {

class RequestCounts {
 public:
  // `took` is absent when that says nothing of the server.
  void add(std::string_view route, std::string_view method, unsigned status,
           std::optional<std::chrono::nanoseconds> took);

  using Key = std::tuple<std::string, std::string, unsigned>;  // route ("none" when no route matched), method, status
  void sample(std::map<Key, std::uint64_t>& counts, std::map<std::string, Histogram::Sample>& latencies) const;

 private:
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return std::tuple<std::string_view, std::string_view, unsigned>(a) <
             std::tuple<std::string_view, std::string_view, unsigned>(b);
    }
  };
  mutable std::mutex mutex_;  // guards the shape of the maps against samplers; the owner reads without it
  std::map<Key, std::atomic<std::uint64_t>, Less> counts_;
  std::map<std::string, Histogram, std::less<>> latencies_;
};

}  // namespace cc::monitor
