// What the servers of all I/O threads use together of what is limited in all. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace cc::http {

struct Usage {
  std::atomic<std::uint64_t> connections{0};
  std::uint64_t most_connections = 100'000;    // more are answered 503 with Retry-After and closed
  std::atomic<std::uint64_t> body_bytes{0};    // of requests that are being received or answered
  std::uint64_t most_body_bytes = 256u << 20;  // a request that needs more is answered 503 with Retry-After
};

// What one request has of `body_bytes`; given back when it dies.
class BodyShare {
 public:
  BodyShare() = default;
  BodyShare(BodyShare&& other) noexcept
      : usage_(std::exchange(other.usage_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  BodyShare& operator=(BodyShare&& other) noexcept {
    std::swap(usage_, other.usage_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BodyShare() { give_back(); }

  // False, and nothing is taken, when more than `most` would be in use.
  bool grow(Usage& usage, std::uint64_t bytes, std::uint64_t most) {
    if (bytes <= bytes_) return true;
    const std::uint64_t more = bytes - bytes_;
    if (usage.body_bytes.fetch_add(more, std::memory_order_relaxed) + more > most) {
      usage.body_bytes.fetch_sub(more, std::memory_order_relaxed);
      return false;
    }
    usage_ = &usage;
    bytes_ = bytes;
    return true;
  }
  void give_back() {
    if (usage_ != nullptr) usage_->body_bytes.fetch_sub(bytes_, std::memory_order_relaxed);
    usage_ = nullptr;
    bytes_ = 0;
  }

 private:
  Usage* usage_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace cc::http
