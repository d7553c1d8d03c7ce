#include "identity/lockout.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "identity/address.h"

namespace cc::identity {
namespace {

std::string of_user(std::string_view user) {
  return sha256_hex(fmt::format("user {}", user));
}
std::string of_network(std::string_view address) {
  return sha256_hex(fmt::format("network {}", network_of(address)));
}

}  // namespace

void Lockout::observe(Observer observer) {
  observer_ = std::move(observer);
}

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
  const std::string who = of_user(user);
  if (observer_.succeeded) observer_.succeeded(who);
  const auto at = by_who_.find(who);
  if (at == by_who_.end()) return;
  entries_.erase(at->second);
  by_who_.erase(at);
}

Result<> Lockout::check_one(const std::string& who) {
  const auto at = by_who_.find(who);
  if (at == by_who_.end()) return {};
  const auto left = at->second->locked_until - clock_.now();
  if (left <= Mono::duration::zero()) return {};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  return fail(Code::exhausted, fmt::format("too many failed logins; try again in {} seconds", seconds),
              fmt::format(R"({{"retry_after_seconds":{}}})", seconds));
}

void Lockout::count_one(const std::string& who, unsigned limit) {
  const Mono now = clock_.now();
  Entry& entry = entry_of(who);
  if (now - entry.first >= options_.lock) {
    entry.failures = 0;
    entry.first = now;
  }
  if (++entry.failures >= limit) {
    entry.locked_until = now + options_.lock;
    entry.failures = 0;
    entry.first = now;
    if (observer_.locked) observer_.locked(who);
  } else if (observer_.failed) {
    observer_.failed(who, limit);
  }
  forget_oldest();
}

void Lockout::lock(const std::string& who, std::chrono::milliseconds left) {
  const std::lock_guard lock(mutex_);
  const Mono now = clock_.now();
  Entry& entry = entry_of(who);
  entry.locked_until = std::max(entry.locked_until, now + std::min(left, options_.lock));
  entry.failures = 0;
  entry.first = now;
  forget_oldest();
}

// The newest then.
Lockout::Entry& Lockout::entry_of(const std::string& who) {
  const auto at = by_who_.find(who);
  if (at == by_who_.end()) {
    entries_.push_front({.who = who, .first = clock_.now()});
    by_who_.emplace(who, entries_.begin());
  } else {
    entries_.splice(entries_.begin(), entries_, at->second);
  }
  return entries_.front();
}

void Lockout::forget_oldest() {
  while (entries_.size() > options_.remember_at_most) {
    by_who_.erase(entries_.back().who);
    entries_.pop_back();
  }
}

}  // namespace cc::identity
