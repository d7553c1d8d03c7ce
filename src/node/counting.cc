#include "node/counting.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"

namespace cc::node {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kRevoked = "revoked", kLocked = "locked";
// Longer than anything of a rate is remembered.
constexpr milliseconds kRequests = 1min;

std::string failures_of(const std::string& who) {
  return "failures:" + who;
}

}  // namespace

Counting::Counting(const edge::Servers& redis, const Settings& settings, identity::Lockout& lockout,
                   service::Rates& rates, std::function<void(const identity::RevokedTokens&)> revoke,
                   const Clock& clock)
    : lockout_(lockout),
      rates_(rates),
      revoke_(std::move(revoke)),
      clock_(clock),
      lock_(settings.security.login_lock),
      counters_(
          redis, {settings.cache.key_prefix},
          {{.name = kRevoked, .keep = settings.security.jwt_expiration}, {.name = kLocked, .keep = lock_}},
          {.before = [this] { count_requests(); }, .heard = [this](const edge::Notice& notice) { heard(notice); }},
          clock) {
  lockout_.observe({.failed = [this](const std::string& who, unsigned limit) { failed(who, limit); },
                    .succeeded = [this](const std::string& who) { counters_.forget(failures_of(who)); },
                    .locked = [this](const std::string& who) { locked(who); }});
}

void Counting::announce(const identity::RevokedTokens& revoked) {
  for (const auto& [token, expires] : revoked)
    counters_.announce({.list = kRevoked, .about = token, .until = expires});
}

void Counting::failed(const std::string& who, unsigned limit) {
  counters_.count(failures_of(who), 1, lock_, true, [this, who, limit](std::uint64_t total) {
    if (total < limit) return;
    lockout_.lock(who, lock_);
    locked(who);
  });
}

void Counting::locked(const std::string& who) {
  counters_.announce({.list = kLocked, .about = who, .until = clock_.wall() + lock_});
  counters_.forget(failures_of(who));
}

void Counting::count_requests() {
  rates_.for_each([this](const std::string& name, service::Rate& rate) { count_requests_of(name, rate); });
  std::erase_if(seen_, [now = clock_.now()](const auto& each) { return now - each.second.at > kRequests; });
}

void Counting::count_requests_of(const std::string& name, service::Rate& rate) {
  const std::uint64_t admitted = rate.take_admitted();
  if (admitted == 0) return;
  counters_.count("requests:" + sha256_hex(name), admitted, kRequests, false,
                  [this, name, admitted](std::uint64_t total) {
                    const Mono now = clock_.now();
                    const auto [at, is_new] = seen_.try_emplace(name, Seen{.total = total, .at = now});
                    const Seen before = std::exchange(at->second, {.total = total, .at = now});
                    if (is_new || total < before.total + admitted) return;
                    rates_.admitted_elsewhere(name, total - before.total - admitted, before.at);
                  });
}

void Counting::heard(const edge::Notice& notice) {
  const auto left = notice.until - clock_.wall();
  if (left <= 0ms) return;
  if (notice.list == kRevoked) return revoke_({{notice.about, notice.until}});
  lockout_.lock(notice.about, left);
}

}  // namespace cc::node
