// Coroutines: the type, who owns them, and how blocking work leaves an I/O thread.
//
// Nothing is spawned but through a TaskGroup, which its owner cancels and joins. Nothing is held
// locked, and no iterator into shared data is kept, across co_await.
#pragma once

#include <list>
#include <string_view>
#include <type_traits>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cc {

namespace asio = boost::asio;

template <class T = void>
using Task = asio::awaitable<T>;

// Owns tasks: what it spawns is cancelled by cancel() and waited for by join().
// Not thread-safe: spawn, cancel, join and the tasks run on the one executor.
class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  ~TaskGroup();  // requires: size() == 0, or the executor has stopped for good
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // `name` stands in the log line that is written when the task ends with an exception.
  void spawn(std::string_view name, Task<> task);
  void cancel();
  Task<> join();
  std::size_t size() const { return tasks_.size(); }

 private:
  asio::any_io_executor executor_;
  std::list<asio::cancellation_signal> tasks_;
  asio::steady_timer empty_;  // cancelled whenever a task ends
};

// Runs work elsewhere, what blocks (SQL, password hashing, files) on a pool of threads, what belongs to another I/O
// thread on its io_context, and comes back to the caller's executor. `work` must not throw. The caller
// stays where it is: it may be cancelled meanwhile, and sees that when it comes back.
template <class Where, class Work>
Task<std::invoke_result_t<Work&>> offload(Where& where, Work work) {
  using Answer = std::invoke_result_t<Work&>;
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Answer)>(
      [&where](auto caller, Work job) {
        asio::post(where, [caller = std::move(caller), job = std::move(job)]() mutable {
          Answer answer = job();
          const auto home = asio::get_associated_executor(caller);
          asio::post(home, [caller = std::move(caller), answer = std::move(answer)]() mutable {
            std::move(caller)(std::move(answer));
          });
        });
      },
      asio::use_awaitable, std::move(work));
}

}  // namespace cc
