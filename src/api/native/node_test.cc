#include <gmock/gmock.h>

#include "api/native/test_api.h"

namespace cc::api::native {
namespace {

using consensus::Membership;
using http::Method;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = consensus::Change::Kind;

class Cluster : public testing::Test {
 protected:
  // A group of three, of which this node leads unless it is told otherwise.
  void make_three(consensus::NodeId leader = 1) {
    api.node.group().pretend = [leader](consensus::Status& status) {
      status.leader_id = leader;
      if (leader != status.node_id) status.role = consensus::Role::follower;
      status.servers = {{.id = 1, .address = "a:1", .membership = Membership::voter},
                        {.id = 2, .address = "b:1", .membership = Membership::voter, .reachable = true, .match = 1},
                        {.id = 3, .address = "c:1", .membership = Membership::observer, .match = status.last}};
    };
  }
  TestApi api;
};

TEST_F(Cluster, TellsWhoIsInItWhoLeadsAndHowFarEachIs) {
  make_three();
  const auto status = json_of(api.get("/v1/cluster"));
  EXPECT_EQ(status.at("leader_id").to_number<int>(), 1);
  EXPECT_FALSE(status.at("stale").as_bool());
  const auto& members = status.at("members").as_array();
  ASSERT_THAT(members, SizeIs(3));
  EXPECT_TRUE(members[0].at("leads").as_bool());
  EXPECT_TRUE(members[0].at("reachable").as_bool()) << "it is the one that answers";
  EXPECT_EQ(members[0].at("behind").to_number<int>(), 0);
  EXPECT_TRUE(members[1].at("reachable").as_bool());
  EXPECT_EQ(members[1].at("behind").to_number<std::uint64_t>(), status.at("last").to_number<std::uint64_t>() - 1);
  EXPECT_EQ(members[2].at("membership").as_string(), "observer");
  EXPECT_FALSE(members[2].at("reachable").as_bool());
}

TEST_F(Cluster, WhoDoesNotLeadSaysNothingOfTheOthersThatItDoesNotKnow) {
  make_three(2);
  const auto status = json_of(api.get("/v1/cluster"));
  const auto& members = status.at("members").as_array();
  EXPECT_TRUE(members[0].as_object().contains("match"));
  EXPECT_FALSE(members[1].as_object().contains("reachable"));
  EXPECT_FALSE(members[2].as_object().contains("behind"));
}

TEST_F(Cluster, TheChecksumChangesWithTheStateAndOnlyWithIt) {
  const auto sum = [&] { return json_of(api.get("/v1/cluster?checksum=true")).at("checksum"); };
  const auto before = sum();
  EXPECT_EQ(sum(), before);
  EXPECT_EQ(before.at("sha256").as_string().size(), 64u);
  EXPECT_EQ(before.at("revision").to_number<Revision>(), api.node.view().revision());
  ASSERT_EQ(api.put("/v1/configs/dev/shop/default/a", "x").status, 201u);
  const auto after = sum();
  EXPECT_NE(after.at("sha256"), before.at("sha256"));
  EXPECT_GT(after.at("applied").to_number<std::uint64_t>(), before.at("applied").to_number<std::uint64_t>());
  EXPECT_FALSE(json_of(api.get("/v1/cluster")).contains("checksum"));
  EXPECT_EQ(api.get("/v1/cluster?checksum=yes").status, 400u);
  api.node.user("vera", {{.role = Role::viewer, .scope = {}}});
  EXPECT_EQ(api.get("/v1/cluster?checksum=true", {}, api.node.token("vera")).status, 403u) << "it reads everything";
}

TEST_F(Cluster, MembersAreAddedChangedAndRemovedAndLeadershipMoves) {
  EXPECT_EQ(api.post("/v1/cluster/members", R"({"node":4,"address":"d:1"})").status, 200u);
  EXPECT_EQ(api.post("/v1/cluster/members", R"({"node":5,"address":"e:1","observer":true})").status, 200u);
  EXPECT_EQ(api.put("/v1/cluster/members/5", R"({"membership":"voter"})").status, 200u);
  EXPECT_EQ(api.put("/v1/cluster/members/5", R"({"membership":"observer"})").status, 200u);
  EXPECT_EQ(api.send(Method::delete_, "/v1/cluster/members/5").status, 200u);
  EXPECT_EQ(api.post("/v1/cluster/transfer", R"({"to":4})").status, 200u);
  const auto moved = api.post("/v1/cluster/transfer", "");
  EXPECT_EQ(moved.status, 200u);
  EXPECT_TRUE(json_of(moved).contains("members"));
  std::vector<std::pair<Kind, consensus::NodeId>> asked;
  for (const auto& change : api.node.group().changes)
    asked.emplace_back(change.kind, change.node);
  EXPECT_THAT(asked, testing::ElementsAre(std::pair(Kind::add, 4u), std::pair(Kind::add_observer, 5u),
                                          std::pair(Kind::promote, 5u), std::pair(Kind::demote, 5u),
                                          std::pair(Kind::remove, 5u), std::pair(Kind::transfer, 4u),
                                          std::pair(Kind::transfer, 0u)));
}

TEST_F(Cluster, WhatIsAskedWronglyIsRefusedWithWhatWouldBeRight) {
  for (const std::string body :
       {"{}", R"({"node":4})", R"({"node":0,"address":"d:1"})", R"({"node":-1,"address":"d:1"})",
        R"({"node":"4","address":"d:1"})", R"({"node":4,"address":"d"})",
        R"({"node":4,"address":"d:1","observer":"no"})", R"({"node":4,"address":"d:1","a":1})"})
    EXPECT_EQ(api.post("/v1/cluster/members", body).status, 400u) << body;
  const auto joining = api.put("/v1/cluster/members/4", R"({"membership":"joining"})");
  EXPECT_EQ(joining.status, 400u);
  EXPECT_THAT(joining.bytes(), HasSubstr("voter or observer"));
  EXPECT_EQ(api.put("/v1/cluster/members/x", R"({"membership":"voter"})").status, 400u);
  EXPECT_EQ(api.send(Method::delete_, "/v1/cluster/members/0").status, 400u);
  EXPECT_EQ(api.post("/v1/cluster/transfer", R"({"to":0})").status, 400u);
  EXPECT_EQ(api.send(Method::post, "/v1/cluster/transfer", "", {}, "").status, 401u);
  EXPECT_THAT(api.node.group().changes, IsEmpty());
}

TEST_F(Cluster, WhatTheGroupRefusesHasItsStatus) {
  api.node.group().refuse = [](const auto&) { return fail(Code::not_found, "there is no node 9"); };
  EXPECT_EQ(api.send(Method::delete_, "/v1/cluster/members/9").status, 404u);
  api.node.group().refuse = [](const auto&) { return fail(Code::unavailable, "there is no leader"); };
  EXPECT_EQ(api.send(Method::delete_, "/v1/cluster/members/9").header("Retry-After"), "1");
}

}  // namespace
}  // namespace cc::api::native
