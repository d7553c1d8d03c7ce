// How often a projection writes what the feed has: the archive and the edge copy. Many small batches would cost as much
// as the publishes themselves, and large ones without end would take the machine from them: so a few times a second, of
// a bounded size each. When publishes come faster than a projection promises to follow, it does not compete with them
// for what they need: it writes now and then, and catches up when it is calmer.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace cc::state {

class Pace {
 public:
  static constexpr std::chrono::milliseconds kCompeting{2000};
  static constexpr std::uint64_t kFollows = 6000;  // releases a second

  // `ordinary`: from one batch to the next. As many releases as a batch holds must come to more than kFollows then.
  explicit Pace(std::chrono::milliseconds ordinary) : ordinary_(ordinary) {}

  // When the next batch may begin, of which began at `began`; `newest` was the newest release then.
  Mono next(Mono began, std::uint64_t newest) {
    if (!last_ || newest < last_->newest) {
      last_ = Seen{.at = began, .newest = newest};
      faster_ = false;
    }
    // Of a shorter time it would say little: commits come in groups.
    if (const std::chrono::duration<double> apart = began - last_->at; apart >= kMeasured) {
      faster_ = static_cast<double>(newest - last_->newest) > kFollows * apart.count();
      last_ = Seen{.at = began, .newest = newest};
    }
    return began + (faster_ ? kCompeting : ordinary_);
  }

 private:
  static constexpr std::chrono::seconds kMeasured{1};
  struct Seen {
    Mono at;
    std::uint64_t newest;
  };
  std::chrono::milliseconds ordinary_;
  std::optional<Seen> last_;
  bool faster_ = false;
};

}  // namespace cc::state
