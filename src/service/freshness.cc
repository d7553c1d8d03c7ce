#include "service/freshness.h"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace cc::service {
namespace {

Task<Result<>> await_what_is_acknowledged(Context& context, Mono deadline) {
  auto reached = co_await await_log(context, deadline, [&](auto patience, consensus::Log::Answer answer) {
    context.group->read_barrier(patience, [answer = std::move(answer)](Result<> done) mutable {
      done ? answer(std::string()) : answer(fail(std::move(done).error()));
    });
  });
  if (reached) co_return Result<>{};
  Error error = std::move(reached).error();
  error.message += "; without consistency=strong this node tells what it has";
  co_return fail(std::move(error));
}

// How a wait is woken when the node stops.
class Woken {
 public:
  Woken(SessionPtr session, std::function<void()> wake) : session_(std::move(session)), wake_(std::move(wake)) {
    session_->add_wait(wake_);
  }
  Woken(const Woken&) = delete;
  Woken& operator=(const Woken&) = delete;
  ~Woken() { session_->remove_wait(wake_); }
  const std::function<void()>& wake() const { return wake_; }

 private:
  SessionPtr session_;
  std::function<void()> wake_;
};

Task<Result<>> await_revision(Context& context, SessionPtr session, Mono deadline, Revision wanted) {
  const Mono began = context.clock.now();
  const Mono until = std::min<Mono>(deadline, began + kLongestCatchingUp);
  asio::steady_timer timer(context.io);
  const Woken woken(std::move(session), [&timer] { timer.cancel(); });
  view::Waiter waiter;
  while (context.view.revision() < wanted) {
    if (context.stopping) co_return fail(Code::unavailable, "the node is stopping: ask another one");
    const Mono now = context.clock.now();
    if (now >= until) {
      const Revision has = context.view.revision();
      co_return fail(
          Code::timeout,
          fmt::format("this node has revision {}, and did not get to {} within {}: try again, or ask another node", has,
                      wanted, format_duration(std::chrono::ceil<std::chrono::milliseconds>(now - began))),
          fmt::format(R"({{"revision":{},"retry_after_seconds":1}})", has));
    }
    timer.expires_after(until - now);
    if (!waiter.waiting()) context.view.wait_for(waiter, wanted, woken.wake());
    co_await timer.async_wait(asio::as_tuple(asio::deferred));
  }
  co_return Result<>{};
}

}  // namespace

Task<Result<>> await_fresh(Context& context, SessionPtr session, Mono deadline, Freshness wanted) {
  if (wanted.strong) CO_TRYV(co_await await_what_is_acknowledged(context, deadline));
  if (context.view.revision() >= wanted.min_revision) co_return Result<>{};
  co_return co_await await_revision(context, std::move(session), deadline, wanted.min_revision);
}

}  // namespace cc::service
