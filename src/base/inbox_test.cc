#include "base/inbox.h"

#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

namespace cc {
namespace {

TEST(Inbox, MessagesThatComeTogetherWakeTheIoThreadOnce) {
  boost::asio::io_context io{1};
  std::string taken;
  Inbox<char> inbox(io, [&](char message) { taken += message; });
  for (const char message : std::string_view("in order"))
    inbox.put(message);
  EXPECT_EQ(taken, "") << "not on the thread that has them";
  EXPECT_EQ(io.poll(), 1U);
  EXPECT_EQ(taken, "in order");
}

TEST(Inbox, AMessageMayLeadToAnother) {
  boost::asio::io_context io{1};
  int taken = 0;
  Inbox<int> inbox(io, [&](int message) {
    ++taken;
    if (message > 0) inbox.put(message - 1);
  });
  inbox.put(3);
  io.run();
  EXPECT_EQ(taken, 4);
}

TEST(Inbox, NoMessageOfAnyThreadIsLost) {
  boost::asio::io_context io{1};
  auto work = boost::asio::make_work_guard(io);
  int taken = 0;
  Inbox<int> inbox(io, [&](int) {
    if (++taken == 4000) work.reset();
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n)
        inbox.put(n);
    });
  }
  io.run();
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(taken, 4000);
}

}  // namespace
}  // namespace cc
