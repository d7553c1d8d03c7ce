#include <algorithm>
#include <set>

#include <boost/asio/redirect_error.hpp>
#include <gmock/gmock.h>

#include "api/native/test_api.h"

namespace cc::api::native {
namespace {

using http::Method;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kConfig = "/v1/configs/dev/shop/default/a";

std::string revision_of(const http::Response& response) {
  return std::to_string(json_of(response).at("revision").to_number<Revision>());
}

// Collects what a stream sends; while it is slow it takes nothing more.
class Reader final : public http::StreamWriter {
 public:
  explicit Reader(asio::io_context& io) : resumed(io, asio::steady_timer::time_point::max()) {}
  Task<Result<>> write(std::string piece) override {
    pieces.push_back(std::move(piece));
    while (slow && !gone) {
      boost::system::error_code ignored;
      co_await resumed.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (gone) co_return fail(Code::unavailable, "the client is gone");
    co_return Result<>{};
  }
  std::vector<std::string> pieces;
  bool slow = false, gone = false;
  asio::steady_timer resumed;
};

class Watch : public testing::Test {
 protected:
  std::string publish(const std::string& name, const std::string& content = "x") {
    const auto answer = api.put("/v1/configs/dev/shop/default/" + name, content);
    EXPECT_LT(answer.status, 300u) << answer.bytes();
    return revision_of(answer);
  }
  auto listen(const http::Response& response, Reader& reader) {
    return api.node.start([](const http::Response& from, Reader& to) -> Task<bool> {
      co_await from.stream()(to);
      co_return true;
    }(response, reader));
  }

  TestApi api;
};

TEST_F(Watch, APollIsAnsweredByTheNextPublish) {
  const auto first = publish("a", "1");
  auto poll = api.start(Method::get, kConfig + "?after=" + first + "&wait=30s");
  EXPECT_FALSE(poll->done());
  const auto second = publish("a", "2");
  const auto answer = poll->value();
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.bytes(), "2");
  EXPECT_EQ(answer.header("X-Config-Revision"), second);
}

TEST_F(Watch, APollIsToldOfADeletion) {
  const auto first = publish("a");
  auto poll = api.start(Method::get, kConfig + "?after=" + first + "&wait=30s");
  const auto deleted = revision_of(api.send(Method::delete_, kConfig));
  const auto answer = poll->value();
  EXPECT_EQ(answer.status, 404u);
  EXPECT_EQ(answer.header("X-Config-Deleted"), "true");
  EXPECT_EQ(answer.header("X-Config-Revision"), deleted);
  EXPECT_EQ(api.get(kConfig + "?after=" + deleted).status, 304u);
}

TEST_F(Watch, APollWhoseTimeIsUpGets304AndTheNewestRevision) {
  const auto mine = publish("a");
  const auto other = publish("b");
  const auto answer = api.get(kConfig + "?after=" + mine);
  EXPECT_EQ(answer.status, 304u);
  EXPECT_EQ(answer.header("X-Config-Revision"), other);
  EXPECT_EQ(api.get(kConfig + "?after=0").bytes(), "x");
}

TEST_F(Watch, ManyAtOnceTellWhatIsNewerOldestFirst) {
  const auto a = publish("a"), b = publish("b");
  publish("c");
  const auto answer = json_of(api.post("/v1/watch", R"({"items":[{"key":"dev/shop/default/b","revision":0},
      {"key":"dev/shop/default/a"},{"key":"dev/shop/default/none","revision":7}]})"));
  const auto& changes = answer.at("changes").as_array();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(boost::json::serialize(changes[0]),
            boost::json::serialize(boost::json::object{{"key", "dev/shop/default/a"},
                                                       {"revision", std::stoull(a)},
                                                       {"version", 1},
                                                       {"format", "text"},
                                                       {"secret", false},
                                                       {"md5", md5_hex("x")},
                                                       {"sha256", sha256_hex("x")},
                                                       {"size", 1},
                                                       {"deleted", false}}));
  EXPECT_EQ(changes[1].as_object().at("revision").to_number<Revision>(), std::stoull(b));
  EXPECT_EQ(answer.at("revision").to_number<Revision>(), api.node.view().revision());
}

TEST_F(Watch, ManyAtOnceWaitForTheFirstOfAny) {
  const auto at = publish("a");
  auto watch =
      api.start(Method::post, "/v1/watch", R"({"wait":"30s","items":[{"prefix":"dev/shop/","revision":)" + at + "}]}");
  EXPECT_FALSE(watch->done());
  publish("new");
  const auto answer = json_of(watch->value());
  ASSERT_EQ(answer.at("changes").as_array().size(), 1u);
  EXPECT_EQ(answer.at("changes").as_array()[0].as_object().at("key").as_string(), "dev/shop/default/new");
}

TEST_F(Watch, WhatIsNoWatchIsRefused) {
  for (const char* body :
       {"", "[]", "{}", R"({"items":[]})", R"({"items":"all"})", R"({"items":[{}]})", R"({"items":[{"key":1}]})",
        R"({"items":[{"key":"no-key"}]})", R"({"items":[{"key":"dev/a/b/c","prefix":"dev/"}]})",
        R"({"items":[{"key":"dev/a/b/c","revision":"1"}]})", R"({"items":[{"key":"dev/a/b/c","revision":-1}]})",
        R"({"items":[{"key":"dev/a/b/c","revision":1.5}]})", R"({"items":[{"key":"dev/a/b/c","revison":1}]})",
        R"({"items":[{"key":"dev/a/b/c"}],"wait":"6m"})", R"({"items":[{"key":"dev/a/b/c"}],"later":1})"}) {
    const auto answer = api.post("/v1/watch", body);
    EXPECT_EQ(answer.status, 400u) << body;
    EXPECT_EQ(error_code(answer), "invalid_argument") << body;
  }
}

TEST_F(Watch, AStreamTellsEachChangeAsItComes) {
  const auto first = publish("a");
  const auto response = api.get(kConfig, {{"Accept", "text/event-stream"}});
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.header("Content-Type"), "text/event-stream");
  ASSERT_TRUE(response.stream());
  Reader reader(api.node.context().io);
  auto stream = listen(response, reader);
  ASSERT_EQ(reader.pieces.size(), 1u);
  EXPECT_THAT(reader.pieces[0],
              StartsWith("id: " + first + "\nevent: published\ndata: {\"key\":\"dev/shop/default/a\""));
  EXPECT_THAT(reader.pieces[0], testing::EndsWith("}\n\n"));
  publish("b");
  const auto deleted = revision_of(api.send(Method::delete_, kConfig));
  api.node.until([&] { return reader.pieces.size() == 2; });
  EXPECT_THAT(reader.pieces[1], StartsWith("id: " + deleted + "\nevent: deleted\n"));
  EXPECT_FALSE(stream->done());
}

TEST_F(Watch, AStreamGoesOnAfterTheLastEvent) {
  publish("a", "1");
  const auto seen = publish("a", "2");
  const auto response = api.get(kConfig, {{"Accept", "text/event-stream"}, {"Last-Event-ID", seen}});
  Reader reader(api.node.context().io);
  auto stream = listen(response, reader);
  EXPECT_TRUE(reader.pieces.empty());
  const auto third = publish("a", "3");
  api.node.until([&] { return !reader.pieces.empty(); });
  EXPECT_THAT(reader.pieces[0], StartsWith("id: " + third + "\n"));
}

TEST_F(Watch, ASlowReaderGetsTheNewestOfEachConfigAndNotAllInBetween) {
  const auto response = api.post("/v1/watch", R"({"items":[{"prefix":"dev/"}]})", {{"Accept", "text/event-stream"}});
  Reader reader(api.node.context().io);
  reader.slow = true;
  auto stream = listen(response, reader);
  publish("first");
  api.node.until([&] { return reader.pieces.size() == 1; });
  std::string a, b;
  for (int i = 0; i < 10; ++i) {
    a = publish("a", std::to_string(i));
    b = publish("b", std::to_string(i));
  }
  EXPECT_EQ(reader.pieces.size(), 1u);
  reader.slow = false;
  reader.resumed.cancel();
  api.node.until([&] { return reader.pieces.size() == 2; });
  api.node.settle();
  ASSERT_EQ(reader.pieces.size(), 2u);
  EXPECT_THAT(reader.pieces[1], StartsWith("id: " + a + "\n"));
  EXPECT_THAT(reader.pieces[1], HasSubstr("\n\nid: " + b + "\n"));
  EXPECT_EQ(std::ranges::count(reader.pieces[1], '\n'), 8);
}

TEST_F(Watch, AStreamThatHasMuchToTellLetsOthersHaveTheirTurn) {
  std::vector<Event> events;
  const Revision before = api.node.view().revision();
  for (int i = 1; i <= 2'000; ++i) {
    auto release = std::make_shared<Release>();
    release->key = {.environment = "dev", .application = "shop", .cluster = "default", .name = std::to_string(i)};
    release->key_text = release->key.to_string();
    release->revision = before + i;
    events.push_back({.revision = release->revision, .release = std::move(release)});
  }
  api.node.view().update(events, before + 2'000);
  const auto response = api.post("/v1/watch", R"({"items":[{"prefix":"dev/"}]})", {{"Accept", "text/event-stream"}});
  Reader reader(api.node.context().io);
  std::set<std::size_t> seen;  // how many pieces there were at each turn of somebody else
  int turns = 0;
  std::function<void()> turn = [&] {
    seen.insert(reader.pieces.size());
    if (++turns < 100) asio::post(api.node.context().io, turn);
  };
  turn();
  auto stream = listen(response, reader);
  EXPECT_EQ(reader.pieces.size(), 8u);
  EXPECT_EQ(seen.size(), 9u);
}

TEST_F(Watch, OfSeveralChangesInOneRevisionTheLastHasTheId) {
  log::Command command;
  for (const char* name : {"a", "b"}) {
    auto& one = *command.mutable_publish_configs()->add_configs();
    one.mutable_key()->set_environment("dev");
    one.mutable_key()->set_application("shop");
    one.mutable_key()->set_cluster("default");
    one.mutable_key()->set_name(name);
    one.set_format("text");
  }
  const auto revision = api.node.must(std::move(command)).revision();
  const auto response = api.post("/v1/watch", R"({"items":[{"prefix":"dev/"}]})", {{"Accept", "text/event-stream"}});
  Reader reader(api.node.context().io);
  auto stream = listen(response, reader);
  ASSERT_EQ(reader.pieces.size(), 1u);
  EXPECT_THAT(reader.pieces[0], StartsWith("event: published\n"));
  EXPECT_THAT(reader.pieces[0], HasSubstr("\n\nid: " + std::to_string(revision) + "\n"));
}

TEST_F(Watch, AStreamEndsWhenTheClientOrTheTokenIsGone) {
  publish("a");
  const auto response = api.get(kConfig, {{"Accept", "text/event-stream"}});
  Reader gone(api.node.context().io);
  gone.gone = true;
  EXPECT_TRUE(listen(response, gone)->value());

  const std::string token = api.node.token("admin");
  const auto other = api.get(kConfig, {{"Accept", "text/event-stream"}}, token);
  Reader reader(api.node.context().io);
  auto stream = listen(other, reader);
  EXPECT_FALSE(stream->done());
  log::Command command;
  command.mutable_revoke_token()->set_token_id(api.node.last_token_id());
  command.mutable_revoke_token()->set_user("admin");
  command.mutable_revoke_token()->set_expires_ms(
      (api.node.clock().wall() + std::chrono::hours(1)).time_since_epoch().count());
  api.node.must(std::move(command));
  EXPECT_TRUE(stream->value());
}

TEST_F(Watch, WhatWaitsKeepsNeitherItsBodyNorItsShareOfTheMemoryForBodies) {
  for (const TestApi::Headers& headers : {TestApi::Headers{}, {{"Accept", "text/event-stream"}}}) {
    http::Usage usage;
    http::Request request;
    request.method = Method::post;
    request.target = "/v1/watch";
    request.add_header("Authorization", api.node.token("admin"));
    for (const auto& [name, value] : headers)
      request.add_header(name, value);
    request.body = R"({"wait":"30s","items":[{"prefix":"dev/none/"}]})";
    ASSERT_TRUE(request.body_share.grow(usage, request.body.size(), usage.most_body_bytes));
    auto answer = api.start(request);
    EXPECT_EQ(answer->done(), !headers.empty()) << "a stream's head is sent at once";
    EXPECT_EQ(request.body, "");
    EXPECT_EQ(usage.body_bytes, 0u);
    EXPECT_TRUE(request.waits());
    if (!answer->done()) answer->cancel();
    api.node.until([&] { return answer->done(); });
  }
}

TEST_F(Watch, AStreamIsRefusedBeforeItBegins) {
  EXPECT_EQ(api.get(kConfig, {{"Accept", "text/event-stream"}}, "").status, 401u);
  EXPECT_EQ(api.get(kConfig + "?after=x", {{"Accept", "text/event-stream"}}).status, 400u);
}

}  // namespace
}  // namespace cc::api::native
