// How a call leaves its I/O thread for work that blocks, and what bounds that.
//
//   CO_TRY(const Draft draft, co_await ask(context, call, Work::question,
//                                          [&](const state::Queries& queries) { return queries.draft(key); }));
//   CO_TRY(auto sums, co_await on_worker(context, call, Work::document,
//                                        [&](const Deadline& until) { return check(files, until); }));
//
// Nothing waits for a worker without a bound: when too much of a kind waits already it is `exhausted` at once. What is
// not begun when the call's deadline comes is never begun: `timeout`, and nothing was done. What has begun is given the
// deadline, at which SQL ends by itself. The deadline comes early for a caller who left, and for all when the time to
// stop is over: both cancel the call.
#pragma once

#include <new>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/deadline.h"
#include "base/result.h"
#include "base/task.h"
#include "service/context.h"
#include "service/workers.h"

namespace cc::service {

// A place among what one I/O thread has to do and is not done.
class Place {
 public:
  // exhausted when `most` are taken.
  static Result<Place> take(unsigned& taken, unsigned most);
  // Among the work of a kind that has been handed over.
  static Result<Place> take(Context& context, Work kind);
  Place(Place&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (taken_ != nullptr) --*taken_;
  }

 private:
  explicit Place(unsigned& taken) : taken_(&taken) { ++taken; }
  unsigned* taken_;
};

Error came_too_late();
Error out_of_memory();

// `job(deadline)` returns a Result. It may refer to what its caller owns: the caller stays until it is done.
template <class Job>
Task<std::invoke_result_t<Job&, const Deadline&>> on_worker(Context& context, const Call& call, Work kind, Job job) {
  using Answer = std::invoke_result_t<Job&, const Deadline&>;
  CO_TRY(const Place place, Place::take(context, kind));
  std::stop_source called_off;
  auto cancelled = (co_await asio::this_coro::cancellation_state).slot();
  if (cancelled.is_connected()) cancelled.assign([called_off](auto) mutable { called_off.request_stop(); });
  const Deadline until(context.clock, call.deadline, called_off.get_token());
  co_return co_await offload(context.workers.of(kind), [&]() -> Answer {
    if (until.passed()) return fail(came_too_late());
    try {
      return job(until);
    } catch (const std::bad_alloc&) {
      return fail(out_of_memory());
    }
  });
}

template <class Question>
Task<std::invoke_result_t<Question&, const state::Queries&>> ask(Context& context, const Call& call, Work kind,
                                                                 Question question) {
  co_return co_await on_worker(context, call, kind,
                               [&](const Deadline& until) { return question(context.queries.until(until)); });
}

}  // namespace cc::service
