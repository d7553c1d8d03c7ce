#include "edge/counters.h"

#include <condition_variable>
#include <set>

#include "edge/redis_fixture.h"

namespace cc::edge {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Two nodes with one Redis.
class NodesThatCount : public testing::Test {
 protected:
  struct Node {
    explicit Node(NodesThatCount& test)
        : counters({.address = test.server.address()}, {"test:"}, {{.name = "revoked", .keep = 1h}},
                   {.before = {},
                    .heard =
                        [this, &test](const Notice& notice) {
                          const std::lock_guard lock(test.mutex);
                          heard.push_back(notice.about);
                          test.changed.notify_all();
                        }},
                   test.clock) {}
    std::vector<std::string> heard;  // guarded by the test's mutex
    Counters counters;
  };

  void count(Node& node, std::uint64_t times = 1) {
    node.counters.count("logins", times, 1h, true, [this](std::uint64_t is) {
      const std::lock_guard lock(mutex);
      total = is;
      changed.notify_all();
    });
  }
  void announce(Node& node, const std::string& token) {
    node.counters.announce({.list = "revoked", .about = token, .until = until});
  }
  template <class True>
  void wait_until(True true_now) {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 60s, true_now));
  }

  SystemClock clock;
  const Wall until = clock.wall() + 1h;
  RedisServer server;
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t total = 0;  // guarded by mutex
  Node one{*this}, two{*this};
};

TEST_F(NodesThatCount, know_what_all_of_them_have_counted) {
  count(one, 3);
  wait_until([&] { return total == 3; });
  count(two, 4);
  wait_until([&] { return total == 7; });
  two.counters.forget("logins");
  count(two);
  wait_until([&] { return total == 1; });
}

TEST_F(NodesThatCount, hear_each_notice_of_any_of_them_once) {
  announce(one, "a");
  wait_until([&] { return one.heard.size() == 1 && two.heard.size() == 1; });
  announce(two, "b");
  announce(two, "a");
  wait_until([&] { return one.heard.size() == 2 && two.heard.size() == 2; });
  EXPECT_THAT(one.heard, ElementsAre("a", "b"));
}

TEST_F(NodesThatCount, hear_what_was_announced_before_they_came) {
  announce(one, "a");
  wait_until([&] { return one.heard.size() == 1; });
  Node late(*this);
  wait_until([&] { return late.heard.size() == 1; });
}

TEST_F(NodesThatCount, wait_for_no_redis_and_announce_when_it_is_back) {
  server.kill();
  announce(one, "a");
  count(one);
  server.start();
  wait_until([&] { return two.heard.size() == 1; });
  EXPECT_THAT(two.heard, ElementsAre("a"));
}

}  // namespace
}  // namespace cc::edge
