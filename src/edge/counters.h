// What the nodes count together, through Redis: how often something happened on all of them, and notices that each
// hears from the others. Nobody who counts waits: what he says is kept in memory and exchanged by a thread of its own,
// five times a second. While there is no Redis each node knows of itself alone; what was counted then is not sent
// later, notices are.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "edge/keys.h"
#include "edge/primary.h"

namespace cc::edge {

// On a list of them: something that holds until then.
struct Notice {
  std::string list, about;
  Wall until;
};

class Counters {
 public:
  // `keep` is how long a notice of the list can hold at most.
  struct List {
    std::string name;
    std::chrono::milliseconds keep;
  };
  // All are called on the thread of the exchange.
  struct Listener {
    std::function<void()> before;              // an exchange: for who counts in a place of his own until then
    std::function<void(const Notice&)> heard;  // of any node, this one too; once, seldom more often
  };

  Counters(Servers servers, Keys keys, std::vector<List> lists, Listener listener, const Clock& clock);
  ~Counters();  // stops soon, and joins

  // It happened so often more. The count begins anew when it was not added to for `keep`, or, with `from_first`, when
  // it is that old. `told` is told what it is with that on all nodes. Any thread; does not wait.
  void count(const std::string& what, std::uint64_t times, std::chrono::milliseconds keep, bool from_first,
             std::function<void(std::uint64_t total)> told);
  // It begins anew with the next exchange: what another node counted since this call may be forgotten with it.
  void forget(const std::string& what);
  void announce(Notice notice);

 private:
  struct Counting {
    std::string what;
    std::uint64_t times = 0;  // 0: forget it
    std::chrono::milliseconds keep{};
    bool from_first = false;
    std::function<void(std::uint64_t)> told;
  };

  void run(const std::stop_token& stop);
  Result<> exchange(const std::stop_token& stop);
  void add(Redis& redis, const Counting& counting) const;
  void add(Redis& redis, const Notice& notice) const;
  void hear(const List& list, const Reply& members);

  Servers servers_;
  Keys keys_;
  std::vector<List> lists_;
  Listener listener_;
  const Clock& clock_;

  std::mutex mutex_;
  std::vector<Counting> counted_;  // guarded by mutex_
  std::vector<Notice> announced_;  // guarded by mutex_

  // Of the thread alone.
  std::optional<Redis> redis_;
  std::string trouble_;
  struct Heard {
    std::string from = "-inf";      // where the list is read from, by when it was announced
    std::set<std::string> members;  // of the last reading
  };
  std::map<std::string, Heard> heard_;
  std::jthread thread_;
};

}  // namespace cc::edge
