#include <thread>

#include "base/bytes.h"
#include "consensus/network_fixture.h"
#include "consensus/proxy_fixture.h"

namespace cc::consensus {
namespace {

using ::testing::HasSubstr;

struct FileTest : NetworkFixture {
  void SetUp() override {
    two->options().files = offered.path();
    one->start();
    two->start();
  }
  void offer(const std::string& name, const std::string& content) {
    ASSERT_TRUE(write_file(offered.path() / name, content));
  }

  TempDirectory offered;
  Path into = folder.path() / "into";
  std::unique_ptr<TestNode> one = node(1), two = node(2);
};

TEST_F(FileTest, ComesWholeWhateverItsSize) {
  for (const std::size_t size : {0u, 1u, 65536u, 524287u, 524288u, 524289u, 20u << 20}) {
    const std::string content = random_bytes(size);
    offer("17", content);
    const auto fetched = one->fetch(two->peer(), "17", into);
    ASSERT_TRUE(fetched) << fetched.error().message;
    EXPECT_TRUE(read_file(into) == content) << size;
    std::filesystem::remove(into);
  }
}

TEST_F(FileTest, ManyComeAtOnceWhileMessagesFlow) {
  connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  std::vector<std::string> contents;
  std::vector<std::future<Result<>>> all;
  for (int i = 0; i < 5; ++i) {
    contents.push_back(random_bytes(3u << 20));
    offer(std::to_string(i), contents.back());
  }
  for (int i = 0; i < 5; ++i) {
    auto done = std::make_shared<std::promise<Result<>>>();
    all.push_back(done->get_future());
    (*one)->fetch(two->peer(), std::to_string(i), folder.path() / ("copy" + std::to_string(i)),
                  [done](Result<> how) { done->set_value(std::move(how)); });
  }
  EXPECT_TRUE(one->hears(*two, "meanwhile"));
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(all[i].get());
    EXPECT_TRUE(read_file(folder.path() / ("copy" + std::to_string(i))) == contents[i]);
  }
}

TEST_F(FileTest, WhatIsNotOfferedIsNotFound) {
  offer("17", "x");
  offer("secret", "x");
  std::filesystem::create_symlink(offered.path() / "secret", offered.path() / "18");
  std::filesystem::create_directory(offered.path() / "19");
  for (const char* name : {"16", "18", "19"}) {
    const auto fetched = one->fetch(two->peer(), name, into);
    ASSERT_FALSE(fetched) << name;
    EXPECT_EQ(fetched.error().code, Code::not_found);
    EXPECT_THAT(fetched.error().message, HasSubstr("node 2 at"));
  }
  for (const char* name : {"", "secret", "../17", "17/", "/17", "1.7", "123456789012345678901"})
    EXPECT_EQ(one->fetch(two->peer(), name, into).error().code, Code::invalid_argument) << name;
  EXPECT_FALSE(std::filesystem::exists(into));
}

TEST_F(FileTest, IsNotPutOverAnother) {
  offer("17", "new");
  ASSERT_TRUE(write_file(into, "old"));
  EXPECT_EQ(one->fetch(two->peer(), "17", into).error().code, Code::already_exists);
  EXPECT_EQ(read_file(into), "old");
}

TEST_F(FileTest, OfANodeThatCannotBeReachedOrIsAnother) {
  offer("17", "x");
  EXPECT_EQ(one->fetch({3, two->peer().address}, "17", into).error().code, Code::conflict);
  EXPECT_EQ(one->fetch({3, free_address()}, "17", into).error().code, Code::unavailable);
  one->greeting.group = "apples";
  two->greeting.group = "pears";
  (*one)->introduce(one->greeting);
  (*two)->introduce(two->greeting);
  EXPECT_EQ(one->fetch(two->peer(), "17", into).error().code, Code::conflict);
  EXPECT_FALSE(std::filesystem::exists(into));
}

TEST_F(FileTest, ThatBreaksOffLeavesNothing) {
  offer("17", random_bytes(5u << 20));
  const std::string between = free_address();
  std::atomic<std::size_t> passed = 0;
  Proxy proxy(between, two->peer().address, [&](bool from_dialer, std::string& bytes) {
    if (!from_dialer) passed += bytes.size();
    return passed < 2u << 20;
  });
  const auto fetched = one->fetch({2, between}, "17", into);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, Code::unavailable);
  EXPECT_FALSE(std::filesystem::exists(into));
}

TEST_F(FileTest, ThatIsAlteredOnTheWayLeavesNothing) {
  offer("17", random_bytes(5u << 20));
  const std::string between = free_address();
  std::atomic<std::size_t> passed = 0;
  Proxy proxy(between, two->peer().address, [&](bool from_dialer, std::string& bytes) {
    if (!from_dialer && (passed += bytes.size()) > 2u << 20) bytes[0] ^= 1;
    return true;
  });
  EXPECT_EQ(one->fetch({2, between}, "17", into).error().code, Code::corruption);
  EXPECT_FALSE(std::filesystem::exists(into));
}

TEST_F(FileTest, ComesToItsEndAlsoWhenItIsRemovedMeanwhile) {
  const std::string content = random_bytes(20u << 20);
  offer("17", content);
  const std::string between = free_address();
  std::atomic<std::size_t> passed = 0;
  Proxy proxy(between, two->peer().address, [&](bool from_dialer, std::string& bytes) {
    if (!from_dialer && (passed += bytes.size()) > 1u << 20) std::filesystem::remove(offered.path() / "17");
    return true;
  });
  EXPECT_TRUE(one->fetch({2, between}, "17", into));
  EXPECT_TRUE(read_file(into) == content);
}

TEST_F(FileTest, ThatGetsNoFurtherIsGivenUp) {
  one->stop();
  one->options().timeout = milliseconds(100);
  one->start();
  offer("17", random_bytes(20u << 20));
  const std::string between = free_address();
  std::atomic<Proxy*> to_silence = nullptr;
  std::atomic<std::size_t> passed = 0;
  Proxy proxy(between, two->peer().address, [&](bool from_dialer, std::string& bytes) {
    if (!from_dialer && (passed += bytes.size()) > 1u << 20) to_silence.load()->silent = true;
    return true;
  });
  to_silence = &proxy;
  EXPECT_EQ(one->fetch({2, between}, "17", into).error().code, Code::timeout);
  EXPECT_FALSE(std::filesystem::exists(into));
}

TEST_F(FileTest, TheNetworkMayEndMeanwhile) {
  offer("17", random_bytes(20u << 20));
  for (int i = 0; i < 6; ++i) {
    std::promise<Result<>> done;
    (*one)->fetch(two->peer(), "17", into, [&](Result<> how) { done.set_value(std::move(how)); });
    if (i % 2 == 0) two->stop();
    if (i % 2 == 1) one->stop();
    if (const auto how = done.get_future().get(); how) std::filesystem::remove(into);
    EXPECT_FALSE(std::filesystem::exists(into));
    if (i % 2 == 0) two->start();
    if (i % 2 == 1) one->start();
  }
}

}  // namespace
}  // namespace cc::consensus
