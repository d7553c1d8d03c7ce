#include "consensus/outboxes.h"

#include <gtest/gtest.h>

namespace cc::consensus {
namespace {

struct OutboxesTest : testing::Test {
  Outboxes outboxes;
  std::vector<std::string> taken(Outboxes::Outbox& outbox) {
    std::vector<std::string> messages;
    outboxes.take(outbox, messages);
    return messages;
  }
};

TEST_F(OutboxesTest, HowManyMessagesThereAreTheThreadIsWokenOnce) {
  outboxes.open(1);
  outboxes.open(2);
  EXPECT_TRUE(outboxes.put(1, "a"));
  EXPECT_FALSE(outboxes.put(1, "b"));
  EXPECT_FALSE(outboxes.put(2, "c"));
  outboxes.looked();
  EXPECT_TRUE(outboxes.put(2, "d"));
}

TEST_F(OutboxesTest, WhatNobodyWillTakeIsDropped) {
  EXPECT_FALSE(outboxes.put(1, "a"));
  const auto first = outboxes.open(1), second = outboxes.open(1);
  outboxes.put(1, "b");
  outboxes.close(1, first);  // is not the one that there is
  outboxes.put(1, "c");
  EXPECT_TRUE(taken(*first).empty());
  EXPECT_EQ(taken(*second), (std::vector<std::string>{"b", "c"}));
  outboxes.close(1, second);
  EXPECT_FALSE(outboxes.put(1, "d"));
  EXPECT_TRUE(taken(*second).empty());
}

TEST_F(OutboxesTest, AFullOneTakesMessagesAgainWhenSomeWereSent) {
  const auto outbox = outboxes.open(1);
  for (std::size_t i = 0; i < Outboxes::kMostMessages + 5; ++i)
    outboxes.put(1, "x");
  EXPECT_EQ(taken(*outbox).size(), Outboxes::kMostMessages);
  outboxes.put(1, "x");
  EXPECT_TRUE(taken(*outbox).empty());  // what was taken is not yet sent
  outboxes.sent(*outbox, 1, 1);
  outboxes.put(1, "y");
  EXPECT_EQ(taken(*outbox), std::vector<std::string>{"y"});
}

TEST_F(OutboxesTest, IsFullByBytesToo) {
  const auto outbox = outboxes.open(1);
  outboxes.put(1, std::string(Outboxes::kMostBytes - 1, 'x'));
  outboxes.put(1, std::string(Outboxes::kMostBytes, 'x'));
  outboxes.put(1, "does not fit");
  EXPECT_EQ(taken(*outbox).size(), 2u);
}

}  // namespace
}  // namespace cc::consensus
