// What the node counts outside its I/O threads. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "monitor/histogram.h"

namespace cc::node {

struct Counters {
  monitor::Histogram commit, write, apply;  // filled by the log thread
  std::atomic<std::uint64_t> applied{0};

  std::mutex mutex;
  std::map<std::string, std::uint64_t> publishes, deletes;  // by environment; guarded by mutex
};

}  // namespace cc::node
