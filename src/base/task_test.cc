#include "base/task.h"

#include <atomic>
#include <latch>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace cc {
namespace {

struct TaskTest : ::testing::Test {
  asio::io_context io{1};
  asio::thread_pool pool{2};
  TaskGroup tasks{io.get_executor()};
};

TEST_F(TaskTest, OffloadedWorkRunsOnThePoolAndItsCallerGoesOnAtHome) {
  std::thread::id worked, resumed;
  int result = 0;
  tasks.spawn("caller", [](TaskTest& test, auto& where, auto& then, int& out) -> Task<> {
    out = co_await offload(test.pool, [&where] {
      where = std::this_thread::get_id();
      return 42;
    });
    then = std::this_thread::get_id();
  }(*this, worked, resumed, result));
  io.run();
  EXPECT_EQ(result, 42);
  EXPECT_NE(worked, std::this_thread::get_id());
  EXPECT_EQ(resumed, std::this_thread::get_id());
}

TEST_F(TaskTest, WorkMayBelongToAnotherIoThread) {
  asio::io_context other{1};
  auto work = asio::make_work_guard(other);
  std::thread thread([&] { other.run(); });
  std::thread::id worked, resumed;
  tasks.spawn("caller", [](asio::io_context& there, auto& where, auto& then) -> Task<> {
    where = co_await offload(there, [] { return std::this_thread::get_id(); });
    then = std::this_thread::get_id();
  }(other, worked, resumed));
  io.run();
  EXPECT_EQ(worked, thread.get_id());
  EXPECT_EQ(resumed, std::this_thread::get_id());
  work.reset();
  thread.join();
}

TEST_F(TaskTest, OffloadCarriesAMoveOnlyResult) {
  std::unique_ptr<int> result;
  tasks.spawn("caller", [](TaskTest& test, std::unique_ptr<int>& out) -> Task<> {
    out = co_await offload(test.pool, [] { return std::make_unique<int>(7); });
  }(*this, result));
  io.run();
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, 7);
}

TEST_F(TaskTest, ACancelledCallerIsNotDestroyedBeforeItsWorkIsDone) {
  std::latch began(1), may_end(1);
  bool finished = false;
  std::thread::id unwound;
  tasks.spawn("caller", [](TaskTest& test, auto& start, auto& end, bool& flag, auto& where) -> Task<> {
    struct Unwound {
      std::thread::id& where;
      ~Unwound() { where = std::this_thread::get_id(); }
    } at_the_end{where};
    std::string owned = "of the caller";
    flag = co_await offload(test.pool, [&] {
      start.count_down();
      end.wait();
      return owned == "of the caller";
    });
  }(*this, began, may_end, finished, unwound));
  asio::post(io, [&] {
    began.wait();
    tasks.cancel();
    may_end.count_down();
  });
  io.run();
  EXPECT_TRUE(finished);
  EXPECT_EQ(unwound, std::this_thread::get_id());
  EXPECT_EQ(tasks.size(), 0U);
}

TEST_F(TaskTest, JoinWaitsForCancelledTasks) {
  bool ended = false;
  asio::steady_timer never(io, asio::steady_timer::time_point::max());
  tasks.spawn("waits",
              [](asio::steady_timer& timer) -> Task<> { co_await timer.async_wait(asio::use_awaitable); }(never));
  TaskGroup other(io.get_executor());
  other.spawn("joins", [](TaskGroup& group, bool& done) -> Task<> {
    group.cancel();
    co_await group.join();
    done = true;
  }(tasks, ended));
  io.run();
  EXPECT_TRUE(ended);
  EXPECT_EQ(tasks.size(), 0U);
}

}  // namespace
}  // namespace cc
