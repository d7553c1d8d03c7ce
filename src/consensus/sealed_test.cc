#include "consensus/sealed.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace cc::consensus {
namespace {

struct SealedTest : testing::Test {
  SessionKey key = [] {
    SessionKey key{};
    key[3] = 7;
    return key;
  }();
  Sealer sealer{key};
  Opener opener{key};

  std::string sealed(std::string_view piece) {
    std::string out;
    sealer.seal(piece, out);
    return out;
  }
  bool open(std::string_view bytes, std::string& to) { return opener.open(bytes, to) && bytes.empty(); }
};

TEST_F(SealedTest, OpensWhatWasSealedHoweverItComes) {
  std::string said, bytes, heard;
  for (const std::size_t size : {1u, 0u, 5u, 65536u, 300u, 65535u}) {
    const std::string piece = random_bytes(size);
    said += piece;
    sealer.seal(piece, bytes);
  }
  std::string waiting;
  for (std::size_t at = 0, step = 1; at < bytes.size(); at += step, step = step * 3 % 7001 + 1) {
    waiting += bytes.substr(at, step);
    std::string_view rest = waiting;
    ASSERT_TRUE(opener.open(rest, heard));
    waiting.erase(0, waiting.size() - rest.size());
  }
  EXPECT_TRUE(waiting.empty());
  EXPECT_TRUE(heard == said);
}

TEST_F(SealedTest, HidesWhatIsSaid) {
  EXPECT_EQ(sealed("something that is said").find("said"), std::string::npos);
}

TEST_F(SealedTest, NoticesEachByteThatIsAltered) {
  const std::string bytes = sealed("something");
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string altered = bytes, heard;
    altered[at] ^= 4;
    Opener fresh(key);
    std::string_view rest = altered;
    // A length that became longer waits for what never comes.
    EXPECT_TRUE(!fresh.open(rest, heard) || !rest.empty()) << at;
    EXPECT_TRUE(heard.empty()) << at;
  }
}

TEST_F(SealedTest, NoticesWhatIsLeftOutRepeatedOrInAnotherOrder) {
  const std::string first = sealed("first"), second = sealed("second"), third = sealed("third");
  for (const auto& order : {first + third, first + first, first + third + second}) {
    Opener fresh(key);
    std::string heard;
    std::string_view rest = order;
    EXPECT_FALSE(fresh.open(rest, heard));
    EXPECT_EQ(heard, "first");
    EXPECT_FALSE(fresh.open(rest, heard));
  }
}

TEST_F(SealedTest, OpensNothingUnderAnotherKey) {
  key[0] ^= 1;
  Opener other(key);
  std::string heard;
  const std::string bytes = sealed("something");
  std::string_view rest = bytes;
  EXPECT_FALSE(other.open(rest, heard));
}

TEST_F(SealedTest, DoesNotWaitForMoreThanAPieceMayHave) {
  std::string heard, bytes = sealed("x").substr(0, 24);
  bytes += std::string("\xff\xff\xff\x7f", 4);
  EXPECT_FALSE(open(bytes, heard));
}

}  // namespace
}  // namespace cc::consensus
