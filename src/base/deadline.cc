#include "base/deadline.h"

#include <algorithm>
#include <utility>

namespace cc {

using std::chrono::milliseconds;

Deadline::Deadline(const Clock& clock, Mono at, std::stop_token called_off)
    : clock_(&clock), at_(at), called_off_(std::move(called_off)) {}

bool Deadline::passed() const {
  return called_off_.stop_requested() || (clock_ != nullptr && clock_->now() >= at_);
}

milliseconds Deadline::left() const {
  constexpr milliseconds kDay = std::chrono::hours(24);
  if (called_off_.stop_requested()) return milliseconds::zero();
  if (clock_ == nullptr) return kDay;
  const Mono now = clock_->now();
  if (now >= at_) return milliseconds::zero();
  if (at_ >= now + kDay) return kDay;
  return std::chrono::ceil<milliseconds>(at_ - now);
}

}  // namespace cc
