// What the benches measured, and how it is told.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

namespace cc::cli {

// The smallest value that at least `percent` of all are not above (nearest rank). `sorted` ascending and not empty.
std::uint32_t percentile(const std::vector<std::uint32_t>& sorted, double percent);

struct Measured {
  std::vector<std::uint32_t> latencies_us;
  std::map<unsigned, std::uint64_t> statuses;  // how many answers of each
  std::uint64_t lost = 0;                      // connections that ended while an answer was due
  double seconds = 0;
  std::size_t connections = 0;

  void add(const Measured& other);  // of another thread at the same time
  std::uint64_t answers() const;
  std::uint64_t failures() const;  // answers with a status of 400 or more, and what was lost

  // {"requests","seconds","per_second","connections","latency_ms":{"p50","p90","p99","max"},"statuses","lost"}
  boost::json::value to_json();
  std::string to_text();
  // Of a bench that watches: how long after the publish the last was answered, instead of a throughput.
  std::string to_watch_text();

 private:
  void sort();
  std::string latency_text() const;
  std::string status_text() const;
};

}  // namespace cc::cli
