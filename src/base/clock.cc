#include "base/clock.h"

namespace cc {

using std::chrono::milliseconds;

Mono SystemClock::now() const {
  return std::chrono::steady_clock::now();
}
Wall SystemClock::wall() const {
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

Mono ManualClock::now() const {
  return Mono{milliseconds(elapsed_ms_.load())};
}
Wall ManualClock::wall() const {
  using namespace std::chrono_literals;
  return std::chrono::sys_days(2026y / 1 / 1) + milliseconds(elapsed_ms_.load());
}
void ManualClock::advance(milliseconds by) {
  elapsed_ms_ += by.count();
}

}  // namespace cc
