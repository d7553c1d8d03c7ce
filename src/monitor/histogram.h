// Latencies, counted by one thread and read by any: a writer's add() is a few relaxed stores, no lock.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace cc::monitor {

class Histogram {
 public:
  // Upper bounds in seconds; the last bucket is +Inf.
  static constexpr std::array<double, 15> kBounds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                     0.025,   0.05,   0.1,     0.25,   0.5,   1,      5};

  void add(std::chrono::nanoseconds took) noexcept {
    const double seconds = std::chrono::duration<double>(took).count();
    std::size_t i = 0;
    while (i < kBounds.size() && seconds > kBounds[i])
      ++i;
    increase(buckets_[i], 1);
    increase(nanoseconds_, static_cast<std::uint64_t>(took.count()));
  }

  struct Sample {
    std::array<std::uint64_t, kBounds.size() + 1> buckets{};  // not cumulated
    double sum = 0;                                           // seconds
    Sample& operator+=(const Sample& other) {
      for (std::size_t i = 0; i < buckets.size(); ++i)
        buckets[i] += other.buckets[i];
      sum += other.sum;
      return *this;
    }
  };
  Sample sample() const noexcept {
    Sample out;
    for (std::size_t i = 0; i < buckets_.size(); ++i)
      out.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
    out.sum = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
    return out;
  }

 private:
  // One writer: no read-modify-write needed.
  static void increase(std::atomic<std::uint64_t>& counter, std::uint64_t by) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

}  // namespace cc::monitor
