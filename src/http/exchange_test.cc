#include "http/exchange.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "http/etag.h"

namespace cc::http {
namespace {

TEST(Request, FindsHeadersInAnyCase) {
  Request request;
  request.add_header("Content-Type", "text/plain");
  request.add_header("X-Empty", "");
  request.add_header("If-Match", "\"7\"");
  EXPECT_EQ(request.header("content-type"), "text/plain");
  EXPECT_EQ(request.header("IF-MATCH"), "\"7\"");
  EXPECT_EQ(request.header("x-empty"), "");
  EXPECT_EQ(request.header("absent"), "");
  EXPECT_EQ(request.header("text/plain"), "");
}

TEST(Request, KeepsWhatAWaitNeedsAndGivesBackTheRest) {
  Request request;
  request.target = "/a?b=c";
  request.body = "body";
  request.add_header("A", "b");
  request.begin_to_wait();
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(request.header("A"), "");
  EXPECT_EQ(request.query("b"), "c");
}

TEST(Request, DecodesQueryParameters) {
  Request request;
  request.target = "/path?after=3&comment=a%20b+c&comment=second&flag&empty=&%6Eame=x&&broken=%zz#fragment";
  EXPECT_EQ(request.path(), "/path");
  EXPECT_EQ(request.query("after"), "3");
  EXPECT_EQ(request.query("comment"), "a b c");
  EXPECT_EQ(request.query("flag"), "");
  EXPECT_EQ(request.query("empty"), "");
  EXPECT_EQ(request.query("name"), "x");
  EXPECT_EQ(request.query("broken"), "%zz");
  EXPECT_EQ(request.query("absent"), std::nullopt);
}

TEST(Request, NamesAQueryParameterThatIsNotKnown) {
  Request request;
  request.target = "/path?after=3&waitt=30s";
  EXPECT_EQ(request.unknown_query({"after", "wait"}), "waitt");
  EXPECT_EQ(request.unknown_query({"after", "waitt"}), std::nullopt);
  request.target = "/path";
  EXPECT_EQ(request.unknown_query({}), std::nullopt);
}

TEST(Response, AHeaderValueCannotBeginALineOfItsOwn) {
  Response response;
  response.header("X-Comment", "a\r\nSet-Cookie: b");
  EXPECT_EQ(response.head(), "X-Comment: a  Set-Cookie: b\r\n");
  EXPECT_EQ(response.header("x-comment"), "a  Set-Cookie: b");
  EXPECT_EQ(response.header("set-cookie"), "");
}

TEST(Response, SharesABodyWithoutCopying) {
  const auto content = std::make_shared<std::string>("content");
  Response response;
  response.shared_body(content, *content);
  EXPECT_EQ(response.bytes().data(), content->data());
  response.body("own");
  EXPECT_EQ(response.bytes(), "own");
  EXPECT_EQ(content.use_count(), 1);
}

TEST(Response, TurnsAnErrorIntoStatusAndJson) {
  const auto response = Response::error({Code::conflict, "say \"please\"\n\xff", R"({"revision":7})"}, "request-1");
  EXPECT_EQ(response.status, 412U);
  EXPECT_EQ(response.header("Content-Type"), "application/json");
  const auto json = boost::json::parse(response.bytes()).as_object();
  const auto& error = json.at("error").as_object();
  EXPECT_EQ(error.at("code").as_string(), "conflict");
  EXPECT_EQ(error.at("message").as_string(), "say \"please\"\n?");
  EXPECT_EQ(error.at("details").as_object().at("revision").as_int64(), 7);
  EXPECT_EQ(json.at("request_id").as_string(), "request-1");
}

TEST(Response, IsJsonWhateverAMessageQuotes) {
  const std::string quoted = "C:\\pool \x01\x7F\t\u0080 配置";
  const auto json = boost::json::parse(Response::error({Code::internal, quoted}, "").bytes());
  EXPECT_EQ(json.at("error").at("message").as_string(), quoted);
}

TEST(Response, RepairsALongMessageInOneGo) {
  // Beginning again at each byte that is repaired would take minutes.
  const auto response = Response::error({Code::internal, std::string(1u << 20, '\xff')}, "");
  const auto json = boost::json::parse(response.bytes());
  EXPECT_EQ(json.at("error").at("message").as_string(), std::string(1u << 20, '?'));
}

TEST(Response, TellsWhenToRetryAndHowToAuthenticate) {
  EXPECT_EQ(Response::error({Code::unavailable, "no leader"}, "").header("Retry-After"), "1");
  EXPECT_EQ(Response::error({Code::exhausted, "slow", R"({"retry_after_seconds": 42})"}, "").header("Retry-After"),
            "42");
  EXPECT_EQ(Response::error({Code::exhausted, "slow"}, "").status, 429U);
  EXPECT_EQ(Response::error({Code::exhausted, "large", R"({"limit_bytes":5})"}, "").status, 413U);
  for (const unsigned status : {413U, 414U, 431U}) {
    EXPECT_EQ(Response::error(status, {code_of_status(status), "large"}, "").header("Retry-After"), "") << status;
  }
  EXPECT_EQ(Response::error({Code::exhausted, "large", R"({"limit_bytes":5})"}, "").header("Retry-After"), "");
  EXPECT_EQ(Response::error(503, {Code::exhausted, "later"}, "").header("Retry-After"), "1");
  EXPECT_EQ(Response::error({Code::not_found, "no"}, "").header("Retry-After"), "");
  EXPECT_EQ(Response::error({Code::timeout, "no"}, "").header("Retry-After"), "");
  EXPECT_EQ(Response::error({Code::timeout, "no", R"({"retry_after_seconds":3})"}, "").header("Retry-After"), "3");
  EXPECT_TRUE(Response::error({Code::unauthenticated, "who"}, "").header("WWW-Authenticate").starts_with("Bearer"));
}

TEST(Etag, IsQuoted) {
  EXPECT_EQ(etag("17"), "\"17\"");
}

TEST(Etag, ReadsLists) {
  const auto list = parse_etags("\"1\", W/\"2\" ,, \"a,b\"");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->tags.size(), 3U);
  EXPECT_TRUE(list->matches_weakly("2"));
  EXPECT_TRUE(list->matches_weakly("a,b"));
  EXPECT_FALSE(list->matches_weakly("a"));
  EXPECT_TRUE(parse_etags("*")->matches_weakly("anything"));
  for (const char* bad : {"", " , ", "17", "\"17", "\"1\", 2", "\"a\"b\"", "\"a b\"", "w/\"1\""})
    EXPECT_FALSE(parse_etags(bad)) << bad;
}

TEST(Etag, IfNoneMatchComparesWeakly) {
  EXPECT_TRUE(none_match_hits("W/\"5\", \"6\"", "5"));
  EXPECT_TRUE(none_match_hits("*", "5"));
  EXPECT_FALSE(none_match_hits("\"6\"", "5"));
  EXPECT_FALSE(none_match_hits("", "5"));
  EXPECT_FALSE(none_match_hits("5", "5"));
}

}  // namespace
}  // namespace cc::http
