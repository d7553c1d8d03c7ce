#include "api/native/call.h"

#include <gmock/gmock.h>

#include "api/native/test_api.h"

namespace cc::api::native {
namespace {

using testing::HasSubstr;

http::Request request_with(std::string body) {
  http::Request request;
  request.body = std::move(body);
  return request;
}

TEST(JsonBody, IsAnObjectOfKnownMembers) {
  EXPECT_EQ(object_of(request_with(R"({"a":1})"), {"a", "b"})->at("a").as_int64(), 1);
  EXPECT_TRUE(object_of(request_with(""), {"a"})->empty());
  for (const char* body : {"[]", "1", "{", R"({"c":1})", "{\"\xff\":1}"}) {
    const auto refused = object_of(request_with(body), {"a", "b"});
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().code, Code::invalid_argument) << body;
  }
}

TEST(JsonBody, IsRefusedUnparsedWhenItIsLarge) {
  const auto refused = object_of(request_with(R"({"a":")" + std::string(100, 'x')), {"a"}, {.bytes = 100});
  ASSERT_FALSE(refused);
  EXPECT_EQ(http::Response::error(refused.error(), "").status, 413u);
  EXPECT_TRUE(object_of(request_with(R"({"a":")" + std::string(92, 'x') + R"("})"), {"a"}, {.bytes = 100}));
}

TEST(JsonBody, IsRefusedUnparsedWhenItHoldsMoreValuesThanItNeeds) {
  std::string many = R"({"a":[)";
  for (int i = 0; i < 1'000'000; ++i)
    many += "[],";
  const auto refused = object_of(request_with(many), {"a"}, {.bytes = many.size()});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("1000 values")) << "and not that it is no JSON";

  EXPECT_TRUE(object_of(request_with(R"({"a":[1,{"b":2}],"c":3})"), {"a", "c"}, {.values = 6}));
  EXPECT_FALSE(object_of(request_with(R"({"a":[1,{"b":2}],"c":3})"), {"a", "c"}, {.values = 5}));
  EXPECT_TRUE(object_of(request_with(R"({"a":"[{,\",[{\\"})"), {"a"}, {.values = 2}))
      << "what strings say does not count";
}

http::Request upload(const std::string& authorization) {
  http::Request request;
  request.method = http::Method::put;
  request.target = "/v1/configs/dev/a/b/c";
  request.remote_address = "10.0.0.1";
  request.request_id = "upload";
  if (!authorization.empty()) request.add_header("Authorization", authorization);
  return request;
}

TEST(AdmitLargeBody, TakesThemFromWhoIsKnownAndRecordsTheOthers) {
  TestApi api;
  service::Context& context = api.node.context();
  EXPECT_TRUE(admit_large_body(context, upload(api.node.token("admin"))));
  for (const char* nobody : {"", "Bearer nonsense"}) {
    const auto refused = admit_large_body(context, upload(nobody));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unauthenticated);
  }
  const auto records = api.node.audited({.action = "authenticate"});
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].target, "PUT /v1/configs/dev/a/b/c");
  EXPECT_EQ(records[0].request_id, "upload");
}

TEST(AdmitLargeBody, TakesThemFromAnyoneWhoMayRead) {
  TestApi api;
  service::Context& context = api.node.context();
  context.directory = std::make_shared<const identity::Directory>(identity::Directory::Content{}, "secret", true);
  EXPECT_TRUE(admit_large_body(context, upload("")));
  EXPECT_FALSE(admit_large_body(context, upload("Bearer nonsense")));
}

}  // namespace
}  // namespace cc::api::native
