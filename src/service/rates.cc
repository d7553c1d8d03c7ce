#include "service/rates.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "identity/address.h"

namespace cc::service {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kAtOnce = 2 * kSecond;  // worth of requests

std::int64_t ns_of(Mono time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

Result<> Rate::admit(Mono now) {
  const std::int64_t at = ns_of(now);
  std::int64_t done = done_at_.load(std::memory_order_relaxed);
  std::int64_t then = 0;
  do {
    then = std::max(done, at) + interval();
    if (then - at > kAtOnce) {
      const std::int64_t seconds = (then - at - kAtOnce + kSecond - 1) / kSecond;
      return fail(Code::exhausted,
                  fmt::format("too many requests: {} a second are allowed ({}); try again in {} s", per_second_,
                              setting_, seconds),
                  fmt::format(R"({{"retry_after_seconds":{}}})", seconds));
    }
  } while (!done_at_.compare_exchange_weak(done, then, std::memory_order_relaxed));
  admitted_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

// From `since` on they have been done at the average rate, like everything else.
void Rate::add_of_others(std::uint64_t times, Mono since) {
  const std::int64_t more = static_cast<std::int64_t>(std::min<std::uint64_t>(times, 1'000'000)) * interval();
  std::int64_t done = done_at_.load(std::memory_order_relaxed);
  while (!done_at_.compare_exchange_weak(done, std::max(done, ns_of(since)) + more, std::memory_order_relaxed))
    continue;
}

bool Rate::is_idle(Mono now) const {
  return done_at_.load(std::memory_order_relaxed) <= ns_of(now);
}

RatePtr Rates::of_user(std::string_view name) {
  return find(fmt::format("user {}", name), limits_.per_user, "limits.requests_per_user");
}

RatePtr Rates::of_address(std::string_view address) {
  return find(fmt::format("network {}", identity::network_of(address)), limits_.per_address,
              "limits.requests_per_address");
}

RatePtr Rates::find(std::string name, std::uint64_t per_second, std::string_view setting) {
  if (per_second == 0) return nullptr;
  const std::lock_guard lock(mutex_);
  if (rates_.size() >= forget_at_) {
    const Mono now = clock_.now();
    std::erase_if(rates_, [&](const auto& each) { return each.second.use_count() == 1 && each.second->is_idle(now); });
    forget_at_ = std::max<std::size_t>(1024, 2 * rates_.size());
  }
  RatePtr& rate = rates_[std::move(name)];
  if (!rate) rate = std::make_shared<Rate>(per_second, setting);
  return rate;
}

void Rates::admitted_elsewhere(const std::string& name, std::uint64_t times, Mono since) {
  RatePtr rate;
  {
    const std::lock_guard lock(mutex_);
    const auto known = rates_.find(name);
    if (known == rates_.end()) return;
    rate = known->second;
  }
  rate->add_of_others(times, since);
}

void Rates::for_each(const std::function<void(const std::string&, Rate&)>& each) {
  std::vector<std::pair<std::string, RatePtr>> all;
  {
    const std::lock_guard lock(mutex_);
    all.assign(rates_.begin(), rates_.end());
  }
  for (const auto& [name, rate] : all)
    each(name, *rate);
}

}  // namespace cc::service
