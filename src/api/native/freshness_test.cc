// What a client of several nodes is promised: strong reads, reads that do not go back, and that stale ones say so.
#include <gmock/gmock.h>

#include "api/native/test_api.h"

namespace cc::api::native {
namespace {

using http::Method;
using testing::HasSubstr;
using testing::SizeIs;

const std::string kConfig = "/v1/configs/dev/shop/default/a";

class Fresh : public testing::Test {
 protected:
  Revision publish(const std::string& content) {
    return json_of(api.put(kConfig, content)).at("revision").to_number<Revision>();
  }
  static std::string from(const std::string& target, Revision revision) {
    return target + (target.contains('?') ? "&" : "?") + "min_revision=" + std::to_string(revision);
  }
  // Everything that reads configs.
  static std::vector<std::string> reads() {
    return {kConfig,
            kConfig + "?version=1",
            "/v1/configs",
            "/v1/configs?prefix=a",
            "/v1/drafts/dev/shop/default/a",
            "/v1/drafts",
            "/v1/releases/dev/shop/default/a",
            "/v1/releases/dev/shop/default/a?version=1",
            "/v1/releases/dev/shop/default/a?diff=1..published",
            "/v1/export/dev",
            "/v1/cluster",
            "/v1/audit",
            "/v1/users"};
  }
  void make_them_readable() {
    publish("1");
    ASSERT_EQ(api.put("/v1/drafts/dev/shop/default/a", "2").status, 200u);
  }

  TestApi api;
};

TEST_F(Fresh, AReadWaitsForTheRevisionThatTheClientHas) {
  const Revision has = publish("1");
  auto reading = api.start(Method::get, from(kConfig, has + 1));
  EXPECT_FALSE(reading->done());
  publish("2");
  EXPECT_EQ(reading->value().bytes(), "2");
  EXPECT_EQ(api.get(from(kConfig, has)).bytes(), "2");
}

TEST_F(Fresh, EveryReadTakesIt) {
  make_them_readable();
  const Revision has = api.node.view().revision();
  for (const std::string& target : reads()) {
    EXPECT_EQ(api.get(from(target, has)).status, 200u) << target;
    auto reading = api.start(Method::get, from(target, has + 1));
    EXPECT_FALSE(reading->done()) << target;
    reading->cancel();
    api.node.until([&] { return reading->done(); });
  }
}

TEST_F(Fresh, ARevisionThatDoesNotComeIs504WithTheNodesOwnAndWhenToTryAgain) {
  const Revision has = publish("1");
  api.node.context().timeout = std::chrono::milliseconds(5);
  auto reading = api.start(Method::get, from(kConfig, has + 1));
  api.node.clock().advance(std::chrono::milliseconds(5));
  const auto late = reading->value();
  EXPECT_EQ(late.status, 504u);
  EXPECT_EQ(late.header("Retry-After"), "1");
  EXPECT_EQ(json_of(late).at("error").at("details").at("revision").to_number<Revision>(), has);
}

TEST_F(Fresh, AStrongReadOfAnythingWaitsForTheBarrier) {
  make_them_readable();
  for (const std::string& target : reads()) {
    api.node.group().hold_barriers = true;
    auto reading = api.start(Method::get, target + (target.contains('?') ? "&" : "?") + "consistency=strong");
    EXPECT_FALSE(reading->done()) << target;
    ASSERT_THAT(api.node.group().barriers, SizeIs(1)) << target;
    api.node.group().barriers.front()({});
    EXPECT_EQ(reading->value().status, 200u) << target;
    api.node.group().barriers.clear();
  }
}

TEST_F(Fresh, AStrongReadTellsWhatCameBeforeTheBarrierWasReached) {
  publish("1");
  api.node.group().hold_barriers = true;
  auto reading = api.start(Method::get, kConfig + "?consistency=strong");
  publish("2");
  api.node.group().barriers.front()({});
  EXPECT_EQ(reading->value().bytes(), "2");
}

TEST_F(Fresh, AStrongReadWithoutALeaderIs503) {
  publish("1");
  api.node.group().without_leader = true;
  const auto refused = api.get(kConfig + "?consistency=strong");
  EXPECT_EQ(refused.status, 503u);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(api.get(kConfig).bytes(), "1");
}

TEST_F(Fresh, WhatTheCallerMayDoIsAsNewAsWhatTheyRead) {
  publish("1");
  api.node.user("vera", {{.role = Role::viewer, .scope = {}}});
  const std::string vera = api.node.token("vera");
  api.node.group().hold_barriers = true;
  auto reading = api.start(Method::get, kConfig + "?consistency=strong", "", {}, vera);
  auto watching = api.start(Method::get, kConfig + "?after=0&consistency=strong", "", {}, vera);
  api.node.grant("vera", {.role = Role::viewer, .scope = {}}, true);
  for (auto& barrier : api.node.group().barriers)
    barrier({});
  EXPECT_EQ(reading->value().status, 403u);
  EXPECT_EQ(watching->value().status, 403u);
}

TEST_F(Fresh, AWatchsFirstLookIsAsFreshAsItsClientAsks) {
  const Revision first = publish("1");
  auto poll = api.start(Method::get, from(kConfig + "?after=" + std::to_string(first - 1), first + 1));
  EXPECT_FALSE(poll->done()) << "what the node has is older than what the client has seen";
  publish("2");
  EXPECT_EQ(poll->value().bytes(), "2");

  api.node.group().hold_barriers = true;
  auto watch = api.start(Method::post, "/v1/watch?consistency=strong", R"({"items":[{"prefix":"dev/"}]})");
  EXPECT_FALSE(watch->done());
  api.node.group().barriers.front()({});
  EXPECT_THAT(json_of(watch->value()).at("changes").as_array(), SizeIs(1));
}

TEST_F(Fresh, AWatchThatIsAheadOfTheNodeIsNotSentBack) {
  const Revision first = publish("1");
  const std::string ahead = std::to_string(first + 7);
  const auto answer = api.get(kConfig + "?after=" + ahead);
  EXPECT_EQ(answer.status, 304u);
  EXPECT_EQ(answer.header("X-Config-Revision"), ahead);
  const auto watched = api.post("/v1/watch", R"({"items":[{"key":"dev/shop/default/a","revision":)" + ahead + "}]}");
  EXPECT_EQ(std::to_string(json_of(watched).at("revision").to_number<Revision>()), ahead);
}

TEST_F(Fresh, WhatIsNoneIsRefusedWithWhatWouldBeRight) {
  publish("1");
  for (const std::string& target : {kConfig, kConfig + "?after=0", std::string("/v1/configs")}) {
    const std::string and_ = target.contains('?') ? "&" : "?";
    const auto weak = api.get(target + and_ + "consistency=weak");
    EXPECT_EQ(weak.status, 400u) << target;
    EXPECT_THAT(weak.bytes(), HasSubstr("give strong"));
    EXPECT_EQ(api.get(target + and_ + "min_revision=-1").status, 400u) << target;
    EXPECT_EQ(api.get(target + and_ + "min_revision=").status, 400u) << target;
  }
  EXPECT_THAT(api.get("/v1/configs?min_revison=3").bytes(), HasSubstr("did you mean \\\"min_revision\\\"?"));
  EXPECT_EQ(api.put(kConfig + "?consistency=strong", "2").status, 400u) << "a change is what it is";
  EXPECT_EQ(api.get("/healthz?consistency=strong").status, 400u);
}

// --- staleness ---

TEST_F(Fresh, WhatMayBeStaleSaysSo) {
  make_them_readable();
  const std::string etag(api.get(kConfig).header("ETag"));
  const auto check = [&](std::string_view stale) {
    for (const std::string& target : reads())
      EXPECT_EQ(api.get(target).header("X-Config-Stale"), stale) << target;
    const auto known = api.get(kConfig, {{"If-None-Match", etag}});
    EXPECT_EQ(known.status, 304u);
    EXPECT_EQ(known.header("X-Config-Stale"), stale);
    EXPECT_EQ(api.get(kConfig + "?after=0").header("X-Config-Stale"), stale);
    EXPECT_EQ(api.get(kConfig + "?after=1000").header("X-Config-Stale"), stale);
    EXPECT_EQ(api.get("/v1/configs/dev/shop/default/none").header("X-Config-Stale"), stale);
    EXPECT_EQ(api.post("/v1/watch", R"({"items":[{"prefix":"dev/"}]})").header("X-Config-Stale"), stale);
    EXPECT_EQ(api.get(kConfig, {{"Accept", "text/event-stream"}}).header("X-Config-Stale"), stale);
  };
  check("");
  api.node.group().without_leader = true;
  check("true");
}

TEST_F(Fresh, ANodeWithoutALeaderIsReadyForReadsAndNotForWrites) {
  EXPECT_EQ(api.get("/readyz?for=writes").status, 200u);
  EXPECT_EQ(api.get("/readyz?for=reads").status, 200u);
  EXPECT_EQ(json_of(api.get("/healthz")).at("status").as_string(), "ok");
  api.node.group().without_leader = true;
  EXPECT_EQ(api.get("/readyz").status, 200u);
  EXPECT_EQ(api.get("/readyz?for=reads").status, 200u);
  const auto writes = api.get("/readyz?for=writes");
  EXPECT_EQ(writes.status, 503u);
  EXPECT_EQ(writes.header("Retry-After"), "1");
  const auto health = api.get("/healthz");
  EXPECT_EQ(health.status, 200u);
  EXPECT_EQ(json_of(health).at("status").as_string(), "degraded");
  const boost::json::value freshness = json_of(health).at("checks").as_array().back();
  EXPECT_EQ(freshness.at("name").as_string(), "freshness");
  EXPECT_EQ(freshness.at("status").as_string(), "failing");
  EXPECT_EQ(api.get("/readyz?for=cats").status, 400u);
}

}  // namespace
}  // namespace cc::api::native
