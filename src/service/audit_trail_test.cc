#include "service/audit_trail.h"

#include <gmock/gmock.h>

#include "service/test_node.h"

namespace cc::service {
namespace {

AuditRecord refusal(const std::string& target) {
  return {.actor = "vera", .action = "config.publish", .target = target, .outcome = "permission_denied"};
}

void flush(TestNode& node, AuditTrail& trail) {
  std::atomic<bool> ended = false;
  std::thread flushing([&] {
    trail.flush();
    ended = true;
  });
  node.until([&] { return ended.load(); });
  flushing.join();
}

TEST(AuditTrail, WhatIsRecordedCanBeQueried) {
  TestNode node;
  node.context().audit.record({.time = node.clock().wall(),
                               .actor = "vera",
                               .address = "10.0.0.9",
                               .request_id = "r1",
                               .action = "login",
                               .target = "vera",
                               .outcome = "unauthenticated",
                               .message = "wrong password"});
  const auto records = node.audited({.action = "login"});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].time, node.clock().wall());
  EXPECT_EQ(records[0].address, "10.0.0.9");
  EXPECT_EQ(records[0].request_id, "r1");
  EXPECT_EQ(records[0].outcome, "unauthenticated");
  EXPECT_EQ(records[0].message, "wrong password");
  const auto counts = node.context().audit.counts();
  EXPECT_EQ(counts.logins, (std::map<std::string, std::uint64_t>{{"unauthenticated", 1}}));
  EXPECT_EQ(counts.denials, 0u);
  EXPECT_EQ(records[0].revision, 0u);
}

TEST(AuditTrail, WhatIsNoTextIsMadePrintable) {
  TestNode node;
  node.context().audit.record({.time = node.clock().wall(),
                               .actor = "anonymous",
                               .action = "user.read",
                               .target = "\xff\x1b[31m配置",
                               .outcome = "unauthenticated",
                               .message = "no \xc3\n"});
  const auto records = node.audited({.action = "user.read"});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].target, "\\xFF\\x1B[31m配置");
  EXPECT_EQ(records[0].message, "no \\xC3\\x0A");
}

TEST(AuditTrail, WhatIsTooLongIsCutSoThatNobodyFillsMemoryAndLogWithIt) {
  TestNode node;
  for (char c = 'a'; c < 'a' + 20; ++c)
    node.context().audit.record(refusal(std::string(8u << 20, c)));
  node.context().audit.record(refusal("the last"));
  const auto records = node.audited({.action = "config.publish"});
  ASSERT_EQ(records.size(), 21u);
  EXPECT_EQ(records[0].target, "the last");
  EXPECT_EQ(records[1].target, std::string(1024, 't') + "…");
}

TEST(AuditTrail, AFloodIsCountedInsteadOfRecorded) {
  TestNode node;
  {
    AuditTrail trail(node.context().log, node.clock(), std::chrono::hours(1), 3);
    for (int i = 0; i < 10; ++i)
      trail.record(refusal(std::to_string(i)));
    flush(node, trail);
  }
  EXPECT_EQ(node.audited({.action = "config.publish"}).size(), 3u);
  const auto more = node.audited({.action = "audit.overflow"});
  ASSERT_EQ(more.size(), 1u);
  EXPECT_THAT(more[0].message, testing::HasSubstr("7 more"));
}

TEST(AuditTrail, EqualRefusalsOfABatchAreOneRecordWithTheirNumber) {
  TestNode node;
  {
    AuditTrail trail(node.context().log, node.clock(), std::chrono::hours(1), 5);
    for (int i = 0; i < 1000; ++i)
      trail.record(refusal("guarded"));
    AuditRecord other = refusal("guarded");
    other.address = "10.0.0.9";
    trail.record(other);
    trail.record(refusal("another"));
    for (int i = 0; i < 2; ++i)
      trail.record({.actor = "vera", .action = "login", .target = "vera", .outcome = "done"});
    for (int i = 0; i < 500; ++i)
      trail.record(refusal("guarded"));  // also when no further record has room
    flush(node, trail);
  }
  const auto of = [&](const std::string& target) { return node.audited({.target_prefix = target}); };
  ASSERT_EQ(of("guarded").size(), 2u);
  EXPECT_EQ(of("guarded")[0].address, "10.0.0.9");
  EXPECT_EQ(of("guarded")[0].count, 1u);
  EXPECT_EQ(of("guarded")[1].count, 1500u);
  EXPECT_EQ(of("another").size(), 1u);
  EXPECT_EQ(of("vera").size(), 2u) << "each login is told";
  EXPECT_TRUE(node.audited({.action = "audit.overflow"}).empty());
}

TEST(AuditTrail, WhatIsLeftIsProposedWhenItEnds) {
  TestNode node;
  {
    auto trail = std::make_unique<AuditTrail>(node.context().log, node.clock(), std::chrono::hours(1));
    trail->record(refusal("last"));
    std::atomic<bool> ended = false;
    std::thread ending([&] {
      trail.reset();
      ended = true;
    });
    node.until([&] { return ended.load(); });
    ending.join();
  }
  EXPECT_EQ(node.audited({.target_prefix = "last"}).size(), 1u);
}

TEST(AuditTrail, RecordsFromManyThreadsAreAllThere) {
  TestNode node;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i)
        node.context().audit.record(refusal(std::to_string(t) + "/" + std::to_string(i)));
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(node.audited({.action = "config.publish"}).size(), 100u);
}

}  // namespace
}  // namespace cc::service
