#include "identity/lockout.h"

#include <fmt/format.h>

#include "identity/address.h"

namespace cc::identity {
namespace {

std::string of_user(std::string_view user) {
  return fmt::format("user {}", user);
}
std::string of_network(std::string_view address) {
  return fmt::format("network {}", network_of(address));
}

}  // namespace

Result<> Lockout::check(std::string_view user, std::string_view address) {
  const std::lock_guard lock(mutex_);
  TRYV(check_one(of_user(user)));
  return check_one(of_network(address));
}

void Lockout::failed(std::string_view user, std::string_view address) {
  const std::lock_guard lock(mutex_);
  count_one(of_user(user), options_.failures_per_user);
  count_one(of_network(address), options_.failures_per_network);
}

// What a network has guessed wrong stays counted: who guesses may hold one good password.
void Lockout::succeeded(std::string_view user, std::string_view /*address*/) {
  const std::lock_guard lock(mutex_);
  const auto at = by_name_.find(of_user(user));
  if (at == by_name_.end()) return;
  entries_.erase(at->second);
  by_name_.erase(at);
}

Result<> Lockout::check_one(const std::string& name) {
  const auto at = by_name_.find(name);
  if (at == by_name_.end()) return {};
  const auto left = at->second->locked_until - clock_.now();
  if (left <= Mono::duration::zero()) return {};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  return fail(Code::exhausted, fmt::format("too many failed logins; try again in {} seconds", seconds),
              fmt::format(R"({{"retry_after_seconds":{}}})", seconds));
}

void Lockout::count_one(const std::string& name, unsigned limit) {
  const Mono now = clock_.now();
  auto at = by_name_.find(name);
  if (at == by_name_.end()) {
    entries_.push_front({.name = name, .first = now});
    at = by_name_.emplace(name, entries_.begin()).first;
  } else {
    entries_.splice(entries_.begin(), entries_, at->second);
  }
  Entry& entry = *at->second;
  if (now - entry.first >= options_.lock) {
    entry.failures = 0;
    entry.first = now;
  }
  if (++entry.failures >= limit) {
    entry.locked_until = now + options_.lock;
    entry.failures = 0;
    entry.first = now;
  }
  while (entries_.size() > options_.remember_at_most) {
    by_name_.erase(entries_.back().name);
    entries_.pop_back();
  }
}

}  // namespace cc::identity
