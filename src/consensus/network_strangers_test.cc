// Those who do not know the secret, or stand between two who do.
#include "base/bytes.h"
#include "consensus/handshake.h"
#include "consensus/network_fixture.h"
#include "consensus/proxy_fixture.h"

namespace cc::consensus {
namespace {

using ::testing::HasSubstr;

using StrangersTest = NetworkFixture;

TEST_F(StrangersTest, WhoSaysSomethingElseIsLeftWithoutAWord) {
  const auto one = node(1), two = node(2);
  one->start();
  two->start();
  for (const std::string& words :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(10, '\0'), std::string(1u << 20, 'x'),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)}) {
    Intruder stranger(one->peer().address);
    stranger.say(words);
    EXPECT_EQ(stranger.hear(), "");
  }
  connect(*one, *two);
  EXPECT_TRUE(connected(*one, *two));
}

TEST_F(StrangersTest, WhoDoesNotKnowTheSecretGetsNothingThatDependsOnIt) {
  const auto one = node(1);
  one->start();
  Handshake handshake(Side::dialer, "guessed");
  Intruder stranger(one->peer().address);
  stranger.say(handshake.hello());
  ASSERT_TRUE(handshake.take(stranger.hear(Handshake::kHelloSize)));
  stranger.say(handshake.proof() + std::string(1000, 'x'));
  EXPECT_EQ(stranger.hear(), "");
  EXPECT_TRUE(one->look([&] { return one->mets.empty(); }));
}

TEST_F(StrangersTest, WhoSaysNothingOrStopsHalfWayIsLeftAfterAWhile) {
  const auto one = node(1);
  one->start();
  Intruder silent(one->peer().address), half(one->peer().address), without_proof(one->peer().address);
  const Handshake handshake(Side::dialer, one->options().secret);
  half.say(handshake.hello().substr(0, 20));
  without_proof.say(handshake.hello());
  EXPECT_EQ(silent.hear(), "");
  EXPECT_EQ(half.hear(), "");
  EXPECT_EQ(without_proof.hear().size(), Handshake::kHelloSize);
}

TEST_F(StrangersTest, AFloodOfThemKeepsNobodyOut) {
  const auto one = node(1), two = node(2);
  one->start();
  two->start();
  std::list<Intruder> flood;
  for (int i = 0; i < 200; ++i)
    flood.emplace_back(one->peer().address);
  (*two)->connect_to({one->peer()});
  EXPECT_TRUE(one->hears(*two, "here"));
  // The first are gone already, without having waited for their time to be up.
  EXPECT_EQ(flood.front().hear(), "");
}

TEST_F(StrangersTest, AnotherVersionIsToldWhichOneRunsHere) {
  const auto one = node(1);
  one->start();
  std::string hello = Handshake(Side::dialer, one->options().secret).hello();
  hello[8] = 77;
  Intruder newer(one->peer().address);
  newer.say(hello + "and what only that version knows");
  EXPECT_EQ(newer.hear().substr(0, Handshake::kPrefixSize),
            Handshake(Side::acceptor, "").hello().substr(0, Handshake::kPrefixSize));
}

TEST_F(StrangersTest, ANodeIsToldThatTheOtherRunsAnotherVersion) {
  const auto one = node(1), two = node(2);
  one->start();
  two->start();
  const std::string between = free_address();
  Proxy proxy(between, two->peer().address, [](bool from_dialer, std::string& bytes) {
    if (!from_dialer) bytes[8] = 77;
    return true;
  });
  (*one)->connect_to({{2, between}});
  const auto [by, why] = one->refusal();
  EXPECT_EQ(by, (Peer{2, between}));
  EXPECT_EQ(why.code, Code::invalid_argument);
  EXPECT_THAT(why.message, HasSubstr("version 77"));
}

TEST_F(StrangersTest, ANodeWithAnotherSecretIsRefusedAndToldSo) {
  NetworkOptions other = options();
  other.secret = "the secret of another group";
  const auto one = node(1), two = node(2, other);
  start_and_connect(*one, *two);
  for (TestNode* each : {one.get(), two.get()}) {
    const auto [by, why] = each->refusal();
    EXPECT_EQ(by, each == one.get() ? two->peer() : one->peer());
    EXPECT_EQ(why.code, Code::permission_denied);
    EXPECT_THAT(why.message, HasSubstr("raft.secret"));
    EXPECT_TRUE(each->look([&] { return each->mets.empty(); }));
  }
}

TEST_F(StrangersTest, WhatWasRecordedCannotBeSaidAgain) {
  const auto one = node(1), two = node(2);
  one->start();
  two->start();
  const std::string between = free_address();
  std::mutex mutex;
  std::string recorded;
  {
    Proxy proxy(between, two->peer().address, [&](bool from_dialer, std::string& bytes) {
      const std::lock_guard lock(mutex);
      if (from_dialer) recorded += bytes;
      return true;
    });
    (*one)->connect_to({{2, between}});
    ASSERT_TRUE(two->hears(*one, "once"));
    one->stop();
  }
  two->look([&] {
    two->mets.clear();
    two->messages.clear();
  });
  Intruder stranger(two->peer().address);
  stranger.say(recorded);
  EXPECT_LE(stranger.hear().size(), Handshake::kHelloSize);
  EXPECT_TRUE(two->look([&] { return two->mets.empty() && two->messages.empty(); }));
}

// Whatever byte of a connection is altered, what comes after it is not believed, and another connection is made.
TEST_F(StrangersTest, WhatIsAlteredOnTheWayIsNotBelieved) {
  const auto one = node(1), two = node(2);
  one->start();
  two->start();
  const std::string between = free_address();
  std::atomic<std::size_t> at = 0, passed = 0;
  Proxy proxy(between, two->peer().address, [&](bool from_dialer, std::string& bytes) {
    if (!from_dialer || at == 0) return true;
    const std::size_t begin = passed.fetch_add(bytes.size());
    if (begin <= at && at < begin + bytes.size()) {
      bytes[at - begin] ^= 1;
      at = 0;
    }
    return true;
  });
  (*one)->connect_to({{2, between}});
  ASSERT_TRUE(two->hears(*one, "hello"));
  for (const std::size_t where : {1u, 30u, 77u, 1000u, 70'000u}) {
    const int before = one->look([&] { return one->losses[2]; });
    passed = 0;
    at = where;
    while (!one->until_soon([&] { return one->losses[2] > before; }))
      (*one)->send(2, std::string(20'000, 'm'));
    ASSERT_TRUE(two->hears(*one, "again " + std::to_string(where)));
  }
  for (const std::string& message : two->look([&] { return two->messages[1]; }))
    EXPECT_TRUE(message == std::string(20'000, 'm') || message == "hello" || message.starts_with("again "));
}

TEST_F(StrangersTest, AMessageThatWasCutOffDoesNotArrive) {
  const auto one = node(1), two = node(2);
  one->start();
  two->start();
  const std::string between = free_address();
  std::atomic<bool> cut = false;
  Proxy proxy(between, two->peer().address, [&](bool from_dialer, std::string& bytes) {
    if (!from_dialer || !cut || bytes.size() < 1000) return true;
    bytes.resize(bytes.size() / 2);
    cut = false;
    return false;
  });
  (*one)->connect_to({{2, between}});
  ASSERT_TRUE(two->hears(*one, "hello"));
  cut = true;
  (*one)->send(2, std::string(1u << 20, 'm'));
  ASSERT_TRUE(one->until([&] { return one->losses[2] > 0; }));
  ASSERT_TRUE(two->hears(*one, "again"));
  EXPECT_TRUE(std::ranges::all_of(two->look([&] { return two->messages[1]; }),
                                  [](const std::string& message) { return message == "hello" || message == "again"; }));
}

TEST_F(StrangersTest, WhoTakesNothingMoreIsLostAndReachedAgain) {
  NetworkOptions impatient = options();
  impatient.timeout = milliseconds(300);
  const auto one = node(1, impatient), two = node(2, impatient);
  one->start();
  two->start();
  const std::string between = free_address();
  Proxy proxy(between, two->peer().address);
  (*one)->connect_to({{2, between}});
  ASSERT_TRUE(two->hears(*one, "hello"));
  proxy.silent = true;
  for (int i = 0; i < 20; ++i)
    (*one)->send(2, std::string(1u << 20, 'm'));
  ASSERT_TRUE(one->until([&] { return one->losses[2] > 0; }));
  proxy.silent = false;
  EXPECT_TRUE(two->hears(*one, "again"));
}

}  // namespace
}  // namespace cc::consensus
