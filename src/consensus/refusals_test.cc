// When a node ends because the others do not want it, and when it does not.
#include "consensus/refusals.h"

#include <gtest/gtest.h>

namespace cc::consensus {
namespace {

const Peer kSelf{.id = 1, .address = "a:1"}, kSecond{.id = 2, .address = "b:1"}, kThird{.id = 3, .address = "c:1"};
const Error kConflict{Code::conflict, "another group"};

class RefusalsTest : public testing::Test {
 protected:
  void refuse_twice(const Peer& by, const Error& why = kConflict) {
    refusals.refused(by, why);
    refusals.refused(by, why);
  }
  Refusals refusals;
};

TEST_F(RefusalsTest, TwoOfThreeAreEnough) {
  refusals.listen_to({kSelf, kSecond, kThird}, 1);
  EXPECT_FALSE(refusals.most_refuse(false));
  refuse_twice(kSecond);
  EXPECT_FALSE(refusals.most_refuse(false)) << "the second may be the one that is wrong";
  refuse_twice(kThird);
  EXPECT_TRUE(refusals.most_refuse(false));
}

TEST_F(RefusalsTest, OnceEachMayBeAnEarlierSelfThatTheyRemember) {
  refusals.listen_to({kSelf, kSecond, kThird}, 1);
  refusals.refused(kSecond, kConflict);
  refusals.refused(kThird, kConflict);
  EXPECT_FALSE(refusals.most_refuse(false));
  refusals.met(2);
  refusals.refused(kSecond, kConflict);
  refusals.refused(kThird, kConflict);
  EXPECT_FALSE(refusals.most_refuse(false)) << "the second has met this node since";
}

TEST_F(RefusalsTest, OneOfTwoIsNotMostOfThem) {
  refusals.listen_to({kSelf, kSecond}, 1);
  refuse_twice(kSecond);
  EXPECT_FALSE(refusals.most_refuse(false)) << "either of the two may be the one that is wrong";
  EXPECT_TRUE(refusals.most_refuse(true)) << "there is nothing to lose here";
}

TEST_F(RefusalsTest, WhoWasNotNamedDoesNotCount) {
  refusals.listen_to({kSelf, kSecond, kThird}, 1);
  refuse_twice({.id = 2, .address = "elsewhere:1"});
  refuse_twice({.id = 3, .address = "elsewhere:2"});
  refuse_twice({.id = 4, .address = "d:1"});
  EXPECT_FALSE(refusals.most_refuse(true));
}

TEST_F(RefusalsTest, OnlyAConflictCounts) {
  refusals.listen_to({kSelf, kSecond, kThird}, 1);
  for (const Code code : {Code::permission_denied, Code::invalid_argument, Code::not_found}) {
    refuse_twice(kSecond, {code, "no"});
    refuse_twice(kThird, {code, "no"});
  }
  EXPECT_FALSE(refusals.most_refuse(true));
}

TEST_F(RefusalsTest, AloneNobodyRefuses) {
  refusals.listen_to({kSelf}, 1);
  refuse_twice(kSelf);
  EXPECT_FALSE(refusals.most_refuse(true));
  EXPECT_FALSE(refusals.most_refuse(false));
}

}  // namespace
}  // namespace cc::consensus
