#include "consensus/network.h"

#include <atomic>
#include <thread>

#include "base/bytes.h"
#include "consensus/network_fixture.h"

namespace cc::consensus {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

using NetworkTest = NetworkFixture;

TEST_F(NetworkTest, NodesMeetAndMessagesArriveInTheirOrder) {
  const auto one = node(1), two = node(2);
  start_and_connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  std::vector<std::string> sent;
  for (int i = 0; i < 20'000; ++i)
    sent.push_back("message " + std::to_string(i));
  one->look([&] { one->messages.clear(); });
  two->look([&] { two->messages.clear(); });
  for (const std::string& message : sent) {
    (*one)->send(2, message);
    (*two)->send(1, message);
  }
  ASSERT_TRUE(two->until([&] { return two->has(1, sent.back()); }));
  ASSERT_TRUE(one->until([&] { return one->has(2, sent.back()); }));
  EXPECT_THAT(two->heard(1), ElementsAreArray(sent));
  EXPECT_THAT(one->heard(2), ElementsAreArray(sent));
}

TEST_F(NetworkTest, MessagesArriveWholeWhateverTheirSize) {
  const auto one = node(1), two = node(2);
  start_and_connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  two->look([&] { two->messages.clear(); });
  std::vector<std::string> sent;
  for (const std::size_t size :
       {0u, 1u, 4u, 5u, 65530u, 65531u, 65532u, 65535u, 65536u, 65537u, 10u << 20, 131072u, 262144u, 10u << 20, 7u}) {
    sent.push_back(random_bytes(size));
  }
  for (const std::string& message : sent)
    (*one)->send(2, message);
  ASSERT_TRUE(two->until([&] { return two->has(1, sent.back()); }));
  EXPECT_TRUE(two->heard(1) == sent);
}

TEST_F(NetworkTest, MessagesOfManyThreadsArriveEachThreadsInItsOrder) {
  const auto one = node(1), two = node(2);
  start_and_connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  constexpr int kThreads = 4, kEach = 2000;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kEach; ++i)
          (*one)->send(2, std::to_string(thread) + " " + std::to_string(i));
      });
    }
  }
  for (int thread = 0; thread < kThreads; ++thread) {
    ASSERT_TRUE(two->until([&] { return two->has(1, std::to_string(thread) + " " + std::to_string(kEach - 1)); }));
    std::vector<std::string> expected, came;
    for (int i = 0; i < kEach; ++i)
      expected.push_back(std::to_string(thread) + " " + std::to_string(i));
    std::ranges::copy_if(two->heard(1), std::back_inserter(came),
                         [&](const std::string& message) { return message.starts_with(std::to_string(thread) + " "); });
    EXPECT_THAT(came, ElementsAreArray(expected));
  }
}

TEST_F(NetworkTest, ThreeNodesReachEachOther) {
  std::vector<std::unique_ptr<TestNode>> nodes;
  std::vector<Peer> peers;
  for (const NodeId id : {1, 2, 3}) {
    nodes.push_back(node(id));
    peers.push_back(nodes.back()->peer());
  }
  for (const auto& each : nodes) {
    each->start();
    (*each)->connect_to(peers);
  }
  for (const auto& a : nodes) {
    for (const auto& b : nodes) {
      if (a != b) EXPECT_TRUE(a->hears(*b, "hello"));
    }
  }
}

TEST_F(NetworkTest, ANodeThatOnlyConnectedIsReachedToo) {
  const auto one = node(1), two = node(2);
  one->start();
  two->start();
  (*one)->connect_to({two->peer()});
  EXPECT_TRUE(one->hears(*two, "back"));
  EXPECT_TRUE(two->hears(*one, "forth"));
}

TEST_F(NetworkTest, NodesThatForgetEachOtherAreDisconnected) {
  const auto one = node(1), two = node(2);
  start_and_connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  (*one)->connect_to({});
  ASSERT_TRUE(one->hears(*two, "still there"));  // it wants to be connected
  ASSERT_TRUE(two->hears(*one, "so it is answered"));
  (*two)->connect_to({});
  EXPECT_TRUE(one->until([&] { return one->losses[2] > 0; }));
  EXPECT_TRUE(two->until([&] { return two->losses[1] > 0; }));
}

TEST_F(NetworkTest, WhatIsSentToNobodyIsDropped) {
  const auto one = node(1), two = node(2);
  one->start();
  (*one)->send(2, "nobody is there");
  (*one)->connect_to({two->peer()});
  (*one)->send(2, "nor now");
  two->start();
  ASSERT_TRUE(two->hears(*one, "at last"));
  EXPECT_EQ(two->heard(1).front(), "at last");
}

TEST_F(NetworkTest, ANodeThatWasStartedAgainIsMetAgain) {
  const auto one = node(1), two = node(2);
  start_and_connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  for (int i = 1; i <= 3; ++i) {
    two->stop();
    ASSERT_TRUE(one->until([&] { return one->losses[2] >= i; }));
    two->look([&] { two->messages.clear(); });
    one->look([&] { one->messages.clear(); });
    two->start();
    (*two)->connect_to({one->peer()});
    ASSERT_TRUE(connected(*one, *two));
  }
  EXPECT_TRUE(one->look([&] { return one->refusals.empty(); }));
  EXPECT_TRUE(two->look([&] { return two->refusals.empty(); }));
}

TEST_F(NetworkTest, ANodeThatMovedIsReachedAtItsNewAddress) {
  const auto one = node(1), two = node(2), moved = std::make_unique<TestNode>(2, free_address(), options());
  one->start();
  two->start();
  (*one)->connect_to({two->peer()});
  ASSERT_TRUE(two->hears(*one, "here"));
  two->stop();
  moved->start();
  (*one)->connect_to({moved->peer()});
  EXPECT_TRUE(moved->hears(*one, "there"));
}

TEST_F(NetworkTest, WhatANodeSaysOfItselfReachesTheOthersWhenItChanges) {
  const auto one = node(1), two = node(2);
  start_and_connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  one->greeting.group = "a group";
  one->greeting.formed = true;
  one->greeting.version = 7;
  (*one)->introduce(one->greeting);
  ASSERT_TRUE(two->until([&] {
    return std::ranges::any_of(two->greetings, [](const Greeting& greeting) { return greeting.group == "a group"; });
  }));
  const Greeting heard = two->look([&] { return two->greetings.back(); });
  EXPECT_EQ(heard.node, 1u);
  EXPECT_EQ(heard.address, one->greeting.address);
  EXPECT_TRUE(heard.formed);
  EXPECT_EQ(heard.version, 7u);
}

TEST_F(NetworkTest, HostNamesAreLookedUp) {
  const auto one = node(1), two = node(2);
  one->start();
  two->start();
  const std::string port = two->peer().address.substr(two->peer().address.find(':'));
  (*one)->connect_to({{2, "localhost" + port}});
  EXPECT_TRUE(two->hears(*one, "hello"));
}

TEST_F(NetworkTest, AnAddressThatCannotBeUsedIsRefusedAtOnce) {
  const auto one = node(1);
  one->start();
  NetworkOptions taken = options();
  for (const auto& [listen, says] : std::map<std::string, std::string>{{one->peer().address, "another node"},
                                                                       {"192.0.2.1:7848", "of this machine"}}) {
    taken.listen = listen;
    const auto refused = listen_on_tcp(taken, {}, *one);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unavailable);
    EXPECT_THAT(refused.error().message, HasSubstr(says));
  }
  taken.listen = "nowhere";
  EXPECT_EQ(listen_on_tcp(taken, {}, *one).error().code, Code::invalid_argument);
  taken = options();
  taken.secret.clear();
  EXPECT_EQ(listen_on_tcp(taken, {}, *one).error().code, Code::invalid_argument);
}

TEST_F(NetworkTest, EndsAtAnyMoment) {
  const auto one = node(1);
  one->start();
  (*one)->connect_to({{2, "127.0.0.1:1"}, {3, "192.0.2.1:7848"}, {4, "no address"}});
  for (int i = 0; i < 20; ++i) {
    const auto two = node(2);
    two->start();
    (*two)->connect_to({one->peer(), {3, "192.0.2.1:7848"}});
    (*two)->send(1, std::string(1u << 20, 'x'));
    if (i % 2 == 0) EXPECT_TRUE(two->until([&] { return two->mets[1] > 0; }));
    for (int j = 0; j < i; ++j)
      (*two)->send(1, std::string(1u << 20, 'x'));
    std::atomic<int> told = 0;
    (*two)->fetch(one->peer(), "1", folder.path() / "into", [&](Result<> how) {
      EXPECT_FALSE(how);
      ++told;
    });
    two->stop();
    EXPECT_EQ(told, 1);
  }
}

}  // namespace
}  // namespace cc::consensus
