#include "edge/counters.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <utility>

#include <fmt/format.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/text.h"

namespace cc::edge {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const Logger kLog{"edge"};

constexpr milliseconds kPause = 200ms;
constexpr milliseconds kEach = 1s;
// A list is read again from so long before the newest of it: the clocks of those who announce differ.
constexpr std::int64_t kOverlapMs = 60'000;
// What is counted while Redis is slow, and announced while it is gone.
constexpr std::size_t kMostHeld = 10'000;

std::int64_t ms_of(Wall time) {
  return time.time_since_epoch().count();
}

void pause(const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, kPause, [] { return false; });
}

}  // namespace

Counters::Counters(Servers servers, Keys keys, std::vector<List> lists, Listener listener, const Clock& clock)
    : servers_(std::move(servers)),
      keys_(std::move(keys)),
      lists_(std::move(lists)),
      listener_(std::move(listener)),
      clock_(clock),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Counters::~Counters() = default;

void Counters::count(const std::string& what, std::uint64_t times, milliseconds keep, bool from_first,
                     std::function<void(std::uint64_t)> told) {
  const std::lock_guard lock(mutex_);
  if (counted_.size() >= kMostHeld) return;
  counted_.push_back({.what = what, .times = times, .keep = keep, .from_first = from_first, .told = std::move(told)});
}

void Counters::forget(const std::string& what) {
  count(what, 0, {}, false, {});
}

void Counters::announce(Notice notice) {
  const std::lock_guard lock(mutex_);
  if (announced_.size() < kMostHeld) announced_.push_back(std::move(notice));
}

void Counters::run(const std::stop_token& stop) {
  ::pthread_setname_np(::pthread_self(), "cc-edge-count");
  Backoff backoff;
  for (; !stop.stop_requested(); pause(stop)) {
    if (listener_.before) listener_.before();
    const auto exchanged = exchange(stop);
    if (stop.stop_requested()) return;
    const std::string trouble = exchanged ? "" : exchanged.error().message;
    if (trouble.empty() && !trouble_.empty()) kLog.info("the nodes count together again");
    if (!trouble.empty() && trouble_.empty())
      kLog.warn("each node counts by itself, as long as Redis is not to be had", {{"reason", trouble}});
    trouble_ = trouble;
    if (exchanged) {
      backoff.reset();
    } else {
      redis_.reset();
      backoff.wait(stop);
    }
  }
}

Result<> Counters::exchange(const std::stop_token& stop) {
  std::vector<Counting> counted;
  std::vector<Notice> announced;
  {
    const std::lock_guard lock(mutex_);
    counted.swap(counted_);
    announced = announced_;
  }
  if (!redis_) {
    TRY(Found found, find_primary(servers_, {.clock = clock_, .stop = stop, .each = kEach}));
    redis_ = std::move(found.redis);
  }
  for (const Counting& each : counted)
    add(*redis_, each);
  for (const Notice& each : announced)
    add(*redis_, each);
  for (const List& list : lists_)
    redis_->add({"ZRANGEBYSCORE", keys_.notices(list.name), heard_[list.name].from, "+inf", "WITHSCORES"});
  TRY(const auto replies, redis_->exchange());
  for (const Reply& reply : replies) {
    if (reply.kind == Reply::Kind::error) return fail(Code::unavailable, printable(reply.text, 300));
  }
  {
    const std::lock_guard lock(mutex_);
    announced_.erase(announced_.begin(), announced_.begin() + static_cast<std::ptrdiff_t>(announced.size()));
  }
  for (std::size_t i = 0; i < counted.size(); ++i) {
    if (counted[i].told) counted[i].told(static_cast<std::uint64_t>(std::max<std::int64_t>(replies[2 * i].number, 0)));
  }
  for (std::size_t i = 0; i < lists_.size(); ++i)
    hear(lists_[i], replies[replies.size() - lists_.size() + i]);
  return {};
}

// Two commands, whatever it is.
void Counters::add(Redis& redis, const Counting& counting) const {
  const std::string key = keys_.count(counting.what);
  if (counting.times == 0) {
    redis.add({"DEL", key});
    redis.add({"PING"});
    return;
  }
  redis.add({"INCRBY", key, std::to_string(counting.times)});
  const std::string keep = std::to_string(counting.keep.count());
  if (counting.from_first) {
    redis.add({"PEXPIRE", key, keep, "NX"});
  } else {
    redis.add({"PEXPIRE", key, keep});
  }
}

// What cannot hold any more is taken off the list by the way.
void Counters::add(Redis& redis, const Notice& notice) const {
  const auto list = std::ranges::find(lists_, notice.list, &List::name);
  if (list == lists_.end()) return;
  const std::string key = keys_.notices(notice.list);
  const std::int64_t now = ms_of(clock_.wall());
  redis.add({"ZADD", key, "NX", std::to_string(now), fmt::format("{} {}", notice.about, ms_of(notice.until))});
  redis.add({"ZREMRANGEBYSCORE", key, "-inf", fmt::format("({}", now - list->keep.count() - kOverlapMs)});
  redis.add({"PEXPIRE", key, std::to_string(list->keep.count() + kOverlapMs)});
}

// `members`: "<about> <until>", when it was announced, and so on; the newest is the last.
void Counters::hear(const List& list, const Reply& members) {
  Heard& heard = heard_[list.name];
  std::set<std::string> now;
  for (std::size_t i = 0; i + 1 < members.items.size(); i += 2) {
    const std::string& member = members.items[i].text;
    now.insert(member);
    if (heard.members.contains(member)) continue;
    const std::size_t blank = member.rfind(' ');
    const auto until = parse_uint(std::string_view(member).substr(blank + 1), "until");
    if (blank == std::string::npos || !until) continue;
    listener_.heard({.list = list.name,
                     .about = member.substr(0, blank),
                     .until = Wall(milliseconds(static_cast<std::int64_t>(*until)))});
  }
  heard.members = std::move(now);
  if (members.items.empty()) return;
  const auto newest = parse_uint(members.items.back().text, "when");
  if (newest) heard.from = std::to_string(static_cast<std::int64_t>(*newest) - kOverlapMs);
}

}  // namespace cc::edge
