// Waiting for the next change.
//
//   Watch watch(context, call.session, interests);
//   while (watch.must_wait(deadline)) co_await watch.sleep();
//   // watch.refused()? watch.stopping()? else watch.changes()
//
// must_wait() looks at the view and, when there is nothing new, registers there, on one thread and without giving it up
// in between: no change can be missed. A Watch is all that a waiting client costs here, some hundred bytes.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>

#include "base/result.h"
#include "service/context.h"

namespace cc::service {

constexpr std::size_t kMostInterests = 10'000;
constexpr std::chrono::minutes kLongestWait{5};

// Permission to watch all of them: read, for a key. A prefix that lies within one application needs it too; of a
// shorter one the watcher sees what it may read. Also refuses what are no keys, prefixes that no key has, and more than
// kMostInterests.
Result<> authorise_watch(Context& context, const Call& call, std::span<const view::Interest> interests);

class Watch {
 public:
  // requires: authorise_watch() allowed it.
  Watch(Context& context, SessionPtr session, std::vector<view::Interest> interests);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // False when there is something to answer: a change, the time is up, the node stops, or the caller may no longer
  // watch. Else sleep() returns when to ask again: it is registered, or there is so much to look at that others have
  // their turn in between.
  bool must_wait(Mono until);
  auto sleep() { return timer_.async_wait(asio::as_tuple(asio::deferred)); }

  const std::optional<Error>& refused() const { return refused_; }
  bool stopping() const { return context_.stopping; }

  struct Changes {
    std::vector<ReleasePtr> releases;  // oldest first; those of one revision are never parted
    Revision revision = 0;             // what to ask with next, for interests that are not further already
  };
  // What the caller may see of what changed after the interests' revisions, the oldest `limit` (0: all) of it. It costs
  // what it tells.
  Changes changes(std::size_t limit = 0);
  // From now on only what is newer than `revision`.
  void advance(Revision revision);

 private:
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                           asio::io_context::executor_type>;
  bool still_allowed();
  view::View::Changes look(std::size_t limit) const;

  Context& context_;
  SessionPtr session_;
  identity::CallerPtr caller_;
  std::vector<view::Interest> interests_;
  view::Waiter waiter_;
  Timer timer_;
  std::function<void()> wake_;
  std::optional<Error> refused_;
};

}  // namespace cc::service
