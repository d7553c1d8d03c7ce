#include "http/router.h"

#include <gtest/gtest.h>

namespace cc::http {
namespace {

Handler nothing() {
  return [](Request&) -> Task<Response> { co_return Response(204); };
}

Request request_of(Method method, std::string target) {
  Request request;
  request.method = method;
  request.target = std::move(target);
  return request;
}

struct RouterTest : ::testing::Test {
  RouterTest() {
    router.add(Method::get, "/livez", nothing());
    router.add(Method::get, "/v1/configs", nothing());
    router.add(Method::get, "/v1/configs/{env}/{app}/{cluster}/{name...}", nothing());
    router.add(Method::put, "/v1/configs/{env}/{app}/{cluster}/{name...}", nothing());
    router.add(Method::get, "/v1/users/{name}", nothing());
    router.add(Method::get, "/v1/users/self", nothing());
    router.add(Method::put, "/v1/users/{name}/password", nothing());
    router.add(Method::post, "/v1/login", nothing());
  }

  Router router;
};

TEST_F(RouterTest, FindsALiteralPath) {
  auto request = request_of(Method::get, "/livez");
  const auto match = router.match(request);
  EXPECT_EQ(match.status, 200U);
  ASSERT_NE(match.handler, nullptr);
  EXPECT_EQ(match.pattern, "/livez");
  EXPECT_EQ(request.route, "/livez");
}

TEST_F(RouterTest, IgnoresTheQuery) {
  auto request = request_of(Method::get, "/v1/configs?prefix=a/b");
  EXPECT_EQ(router.match(request).pattern, "/v1/configs");
}

TEST_F(RouterTest, CapturesSegmentsAndTheRest) {
  auto request = request_of(Method::get, "/v1/configs/prod/shop/default/dir/app.yaml?after=3");
  ASSERT_NE(router.match(request).handler, nullptr);
  EXPECT_EQ(request.captures, (std::vector<std::string>{"prod", "shop", "default", "dir/app.yaml"}));
}

TEST_F(RouterTest, DecodesAfterSplittingSoThatAnEncodedSlashStaysInItsSegment) {
  auto request = request_of(Method::get, "/v1/configs/prod/a%2Fb/default/%E4%B8%AD%20x");
  ASSERT_NE(router.match(request).handler, nullptr);
  EXPECT_EQ(request.captures, (std::vector<std::string>{"prod", "a/b", "default", "中 x"}));
}

TEST_F(RouterTest, RefusesBrokenPercentEncoding) {
  for (const char* target : {"/v1/users/%", "/v1/users/%4", "/v1/users/%zz", "/v1/users/a%2"}) {
    auto request = request_of(Method::get, target);
    const auto match = router.match(request);
    EXPECT_EQ(match.status, 400U) << target;
    EXPECT_EQ(match.handler, nullptr) << target;
  }
}

TEST_F(RouterTest, RefusesWhatIsNotUtf8WhereverItStands) {
  for (const char* target :
       {"/v1/users/%FF", "/v1/users/a%C3", "/v1/users/%ED%A0%80", "/v1/configs/prod/%ff/default/a.yaml",
        "/v1/configs/prod/shop/default/dir/%fe", "/v1/users/\xff", "/livez?\xff", "/livez?a=%FF", "/livez?%FF=a",
        "/livez?a=b&c=d%C3&e=f", "/nowhere/\xff"}) {
    auto request = request_of(Method::get, target);
    const auto match = router.match(request);
    EXPECT_EQ(match.status, 400U) << target;
    EXPECT_EQ(match.handler, nullptr) << target;
    EXPECT_TRUE(match.reason.contains("UTF-8")) << target;
  }
  for (const char* target : {"/v1/users/%E4%B8%AD", "/v1/users/中", "/livez?a=%E4%B8%AD+中&%C3%A9=", "/livez?a=%zz"}) {
    auto request = request_of(Method::get, target);
    EXPECT_NE(router.match(request).handler, nullptr) << target;
  }
}

TEST_F(RouterTest, PrefersLiteralsAndFallsBackToCaptures) {
  auto self = request_of(Method::get, "/v1/users/self");
  EXPECT_EQ(router.match(self).pattern, "/v1/users/self");
  auto other = request_of(Method::get, "/v1/users/selfish");
  EXPECT_EQ(router.match(other).pattern, "/v1/users/{name}");
  auto deeper = request_of(Method::put, "/v1/users/self/password");
  EXPECT_EQ(router.match(deeper).pattern, "/v1/users/{name}/password");
  EXPECT_EQ(deeper.captures, std::vector<std::string>{"self"});
}

TEST_F(RouterTest, AnEncodedLiteralIsTheLiteral) {
  auto request = request_of(Method::get, "/%6Civez");
  EXPECT_EQ(router.match(request).pattern, "/livez");
}

TEST_F(RouterTest, HasNoRouteForPathsThatAreNot) {
  for (const char* target :
       {"/", "", "*", "livez", "/livez/", "/v1", "/v1/configs/prod/shop/default", "/v1/configs/prod/shop/default/",
        "/v1/configs//shop/default/x", "//livez", "/v1/users/"}) {
    auto request = request_of(Method::get, target);
    const auto match = router.match(request);
    EXPECT_EQ(match.status, 404U) << target;
    EXPECT_EQ(match.pattern, "") << target;
  }
}

TEST_F(RouterTest, SaysWhichMethodsAPathHas) {
  auto request = request_of(Method::delete_, "/v1/configs/a/b/c/d");
  const auto match = router.match(request);
  EXPECT_EQ(match.status, 405U);
  EXPECT_EQ(match.allow, "GET, HEAD, PUT, OPTIONS");
  EXPECT_EQ(match.handler, nullptr);
  auto other = request_of(Method::other, "/v1/login");
  EXPECT_EQ(router.match(other).allow, "POST, OPTIONS");
}

TEST_F(RouterTest, AnswersHeadByGet) {
  auto request = request_of(Method::head, "/livez");
  EXPECT_NE(router.match(request).handler, nullptr);
}

TEST_F(RouterTest, ListsRoutesInOrderOfAddition) {
  const auto routes = router.routes();
  ASSERT_EQ(routes.size(), 8U);
  EXPECT_EQ(routes.front().pattern, "/livez");
  EXPECT_EQ(routes.back().method, Method::post);
}

}  // namespace
}  // namespace cc::http
