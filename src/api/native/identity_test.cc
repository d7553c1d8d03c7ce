// Logging in, users, keys, places, audit and the node, as a client sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/native/test_api.h"
#include "base/text.h"

namespace cc::api::native {
namespace {

using http::Method;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace json = boost::json;

const TestApi::Headers kJson = {{"Content-Type", "application/json"}};

class IdentityApi : public testing::Test {
 protected:
  IdentityApi() {
    EXPECT_EQ(api.put("/v1/users/ann", R"({"display_name":"Ann","password":"password of ann"})").status, 201u);
  }
  http::Response log_in(const std::string& user, const std::string& password) {
    return api.send(Method::post, "/v1/login",
                    json::serialize(json::object{{"username", user}, {"password", password}}), kJson, "");
  }
  std::string token_of(const std::string& user) { return api.node.token(user); }
  static std::vector<std::string> names_of(const http::Response& response, std::string_view member = "name") {
    std::vector<std::string> names;
    for (const json::value& item : json_of(response).at("items").as_array())
      names.emplace_back(item.at(member).as_string());
    return names;
  }

  TestApi api;
};

// Collects what a stream sends.
class Collected final : public http::StreamWriter {
 public:
  Task<Result<>> write(std::string piece) override {
    text += piece;
    ++pieces;
    co_return Result<>{};
  }
  std::string text;
  int pieces = 0;
};

TEST_F(IdentityApi, a_login_is_answered_with_a_token_that_says_who_one_is) {
  const http::Response login = log_in("ann", "password of ann");
  ASSERT_EQ(login.status, 200u);
  EXPECT_EQ(login.header("Cache-Control"), "no-store");
  const json::object token = json_of(login);
  EXPECT_EQ(token.at("user").as_string(), "ann");
  const http::Response me = api.get("/v1/whoami", {}, "Bearer " + std::string(token.at("token").as_string()));
  EXPECT_EQ(json_of(me),
            (json::object{
                {"name", "ann"}, {"kind", "user"}, {"expires_at", token.at("expires_at")}, {"grants", json::array()}}));
}

TEST_F(IdentityApi, a_wrong_password_is_401_and_a_locked_user_429_with_the_time_to_wait) {
  for (int i = 0; i < 5; ++i) {
    const http::Response wrong = log_in("ann", "a wrong password");
    EXPECT_EQ(wrong.status, 401u);
    EXPECT_THAT(std::string(wrong.header("WWW-Authenticate")), HasSubstr("Bearer"));
  }
  const http::Response locked = log_in("ann", "password of ann");
  EXPECT_EQ(locked.status, 429u);
  EXPECT_EQ(locked.header("Retry-After"), "600");
}

TEST_F(IdentityApi, logging_out_ends_the_token) {
  const std::string token = "Bearer " + std::string(json_of(log_in("ann", "password of ann")).at("token").as_string());
  EXPECT_EQ(api.send(Method::post, "/v1/logout", {}, {}, token).status, 204u);
  EXPECT_EQ(api.get("/v1/whoami", {}, token).status, 401u);
  EXPECT_EQ(api.get("/v1/whoami", {}, "").status, 401u);
}

TEST_F(IdentityApi, bodies_that_are_none_are_refused_with_what_is_known) {
  const auto login = [&](std::string body, const TestApi::Headers& headers = kJson) {
    return api.send(Method::post, "/v1/login", std::move(body), headers, "");
  };
  for (const char* bad : {"", "{}", "[]", "null", "{", R"({"username":"ann"})", R"({"username":1,"password":"x"})",
                          R"({"username":"ann","password":null})"})
    EXPECT_EQ(login(bad).status, 400u) << bad;
  const http::Response unknown = login(R"({"username":"ann","password":"x","remember":true})");
  EXPECT_EQ(unknown.status, 400u);
  EXPECT_THAT(std::string(unknown.bytes()), testing::AllOf(HasSubstr("remember"), HasSubstr("username, password")));
  const std::string good = R"({"username":"ann","password":"password of ann"})";
  EXPECT_EQ(login(good, {}).status, 200u);
  EXPECT_EQ(login(good, {{"Content-Type", "Application/JSON; charset=utf-8"}}).status, 200u);
  for (const char* type : {"application/x-www-form-urlencoded", "text/plain", "application/jsonx", "application"}) {
    const http::Response refused = login(good, {{"Content-Type", type}});
    EXPECT_EQ(refused.status, 400u) << type;
    EXPECT_THAT(std::string(refused.bytes()), HasSubstr("send Content-Type: application/json"));
  }
}

TEST_F(IdentityApi, query_parameters_that_are_unknown_are_refused_everywhere) {
  for (const char* target : {"/v1/whoami", "/v1/users", "/v1/users/ann", "/v1/roles", "/v1/keys", "/v1/environments",
                             "/v1/environments/dev", "/v1/applications", "/v1/clusters", "/v1/audit", "/v1/cluster",
                             "/livez", "/readyz", "/healthz", "/openapi.json"}) {
    const http::Response refused = api.get(std::string(target) + "?limitt=5");
    EXPECT_EQ(refused.status, 400u) << target;
    EXPECT_THAT(std::string(refused.bytes()), HasSubstr("limitt")) << target;
  }
}

TEST_F(IdentityApi, a_user_is_answered_without_the_hash) {
  const http::Response user = api.get("/v1/users/ann");
  const json::object body = json_of(user);
  EXPECT_EQ(body.at("name").as_string(), "ann");
  EXPECT_EQ(body.at("display_name").as_string(), "Ann");
  EXPECT_FALSE(body.at("disabled").as_bool());
  EXPECT_EQ(body.size(), 5u);
  EXPECT_THAT(std::string(api.get("/v1/users").bytes()), Not(HasSubstr("argon2")));
  EXPECT_EQ(api.get("/v1/users/nobody").status, 404u);
}

TEST_F(IdentityApi, users_are_changed_and_deleted) {
  EXPECT_EQ(api.put("/v1/users/ann", R"({"disabled":"yes"})").status, 400u);
  const http::Response changed = api.put("/v1/users/ann", R"({"disabled":true})");
  EXPECT_EQ(changed.status, 200u);
  EXPECT_TRUE(json_of(changed).at("disabled").as_bool());
  EXPECT_EQ(json_of(changed).at("display_name").as_string(), "Ann");
  const http::Response gone = api.send(Method::delete_, "/v1/users/ann");
  EXPECT_EQ(gone.status, 200u);
  EXPECT_EQ(json_of(gone).at("name").as_string(), "ann");
  EXPECT_EQ(api.send(Method::delete_, "/v1/users/admin").status, 412u);
}

TEST_F(IdentityApi, a_change_repeated_under_its_request_id_says_so) {
  const TestApi::Headers id = {{"X-Request-Id", "once"}};
  const http::Response first = api.put("/v1/users/bob", R"({"password":"password of bob"})", id);
  EXPECT_EQ(first.status, 201u);
  EXPECT_EQ(first.header("X-Config-Repeated"), "");
  const http::Response second = api.put("/v1/users/bob", R"({"password":"password of bob"})", id);
  EXPECT_EQ(second.status, 201u);
  EXPECT_EQ(second.header("X-Config-Repeated"), "true");
}

TEST_F(IdentityApi, roles_are_granted_and_taken_away) {
  const std::string grant = R"({"role":"publisher","environment":"dev","application":"shop"})";
  const json::array wanted{
      json::object{{"role", "publisher"}, {"environment", "dev"}, {"application", "shop"}, {"department", ""}}};
  EXPECT_EQ(json_of(api.post("/v1/users/ann/grants", grant)).at("grants"), wanted);
  EXPECT_EQ(json_of(api.send(Method::delete_, "/v1/users/ann/grants", grant)).at("grants"), json::array());
  EXPECT_EQ(api.send(Method::delete_, "/v1/users/ann/grants", grant).status, 404u);
  EXPECT_EQ(api.post("/v1/users/ann/grants", R"({"role":"king"})").status, 400u);
  EXPECT_EQ(api.post("/v1/users/ann/grants", R"({"environment":"dev"})").status, 400u);
  EXPECT_THAT(names_of(api.get("/v1/roles")), ElementsAre("admin", "publisher", "developer", "operator", "viewer"));
}

TEST_F(IdentityApi, ones_password_is_changed) {
  const std::string ann = token_of("ann");
  const auto change = [&](std::string body) {
    return api.send(Method::put, "/v1/users/ann/password", std::move(body), {}, ann);
  };
  EXPECT_EQ(change(R"({"password":"another password"})").status, 400u);
  EXPECT_EQ(change(R"({"password":"another password","current_password":"wrong"})").status, 403u);
  EXPECT_EQ(change(R"({"password":"another password","current_password":"password of ann"})").status, 204u);
  EXPECT_EQ(log_in("ann", "another password").status, 200u);
}

TEST_F(IdentityApi, a_key_is_shown_when_it_is_made_and_never_again) {
  const std::string expires = format_time(api.node.clock().wall() + std::chrono::hours(1));
  const http::Response made =
      api.post("/v1/keys", json::serialize(json::object{{"application", "shop"},
                                                        {"environment", "dev"},
                                                        {"addresses", json::array{"10.0.0.0/8"}},
                                                        {"expires_at", expires}}));
  ASSERT_EQ(made.status, 201u);
  EXPECT_EQ(made.header("Cache-Control"), "no-store");
  const json::object key = json_of(made);
  EXPECT_EQ(key.at("expires_at").as_string(), expires);
  const std::string text(key.at("key").as_string()), id(key.at("id").as_string());
  const json::object me = json_of(api.get("/v1/whoami", {}, "Bearer " + text));
  EXPECT_EQ(me.at("kind").as_string(), "access_key");
  EXPECT_EQ(me.at("name").as_string(), "key:" + id);
  EXPECT_EQ(me.at("expires_at").as_string(), expires);
  const http::Response listed = api.get("/v1/keys");
  EXPECT_THAT(names_of(listed, "id"), ElementsAre(id));
  EXPECT_THAT(std::string(listed.bytes()), Not(HasSubstr(text)));
  const http::Response revoked = api.send(Method::delete_, "/v1/keys/" + id);
  EXPECT_EQ(revoked.status, 200u);
  EXPECT_TRUE(json_of(revoked).at("revoked").as_bool());
  EXPECT_EQ(api.get("/v1/whoami", {}, "Bearer " + text).status, 401u);
  for (const char* bad :
       {"{}", R"({"application":"shop","addresses":"::1"})", R"({"application":"shop","addresses":[1]})",
        R"({"application":"shop","expires_at":"tomorrow"})", R"({"application":"shop","x":1})"})
    EXPECT_EQ(api.post("/v1/keys", bad).status, 400u) << bad;
}

TEST_F(IdentityApi, environments_applications_and_clusters) {
  EXPECT_EQ(api.put("/v1/environments/test", "").status, 201u);
  EXPECT_EQ(api.put("/v1/environments/test", R"({"description":"for tests"})").status, 200u);
  EXPECT_EQ(json_of(api.get("/v1/environments/test")).at("description").as_string(), "for tests");
  EXPECT_THAT(names_of(api.get("/v1/environments")), ElementsAre("dev", "prod", "test"));
  EXPECT_EQ(api.send(Method::delete_, "/v1/environments/test").status, 200u);
  EXPECT_EQ(api.get("/v1/environments/test").status, 404u);

  EXPECT_EQ(api.put("/v1/applications/%E5%95%86%E5%BA%97", R"({"department":"sales"})").status, 201u);
  const json::object shop = json_of(api.put("/v1/applications/%E5%95%86%E5%BA%97", R"({"owner":"ann"})"));
  EXPECT_EQ(shop.at("name").as_string(), "商店");
  EXPECT_EQ(shop.at("department").as_string(), "sales");
  EXPECT_EQ(shop.at("owner").as_string(), "ann");
  EXPECT_EQ(api.put("/v1/applications/x", R"({"name":"y"})").status, 400u);

  EXPECT_EQ(api.put("/v1/clusters/dev/shop/a", "{}").status, 201u);
  EXPECT_THAT(names_of(api.get("/v1/clusters?environment=dev"), "cluster"), ElementsAre("a"));
  EXPECT_EQ(json_of(api.send(Method::delete_, "/v1/clusters/dev/shop/a")).at("cluster").as_string(), "a");
  EXPECT_EQ(api.put("/v1/clusters/pord/shop/a", "{}").status, 404u);
}

TEST_F(IdentityApi, lists_are_paged) {
  const json::object first = json_of(api.get("/v1/environments?limit=1"));
  EXPECT_EQ(first.at("items").as_array().size(), 1u);
  const std::string next(first.at("next").as_string());
  const json::object second = json_of(api.get("/v1/environments?limit=1&cursor=" + next));
  EXPECT_EQ(second.at("items").at(0).at("name").as_string(), "prod");
  EXPECT_FALSE(second.contains("next"));
  EXPECT_EQ(api.get("/v1/environments?limit=0").status, 400u);
  EXPECT_EQ(api.get("/v1/environments?cursor=*").status, 400u);
}

TEST_F(IdentityApi, audit_records_are_listed_filtered_and_exported) {
  api.get("/v1/users", {}, token_of("ann"));  // refused
  api.node.audited();
  const json::object found = json_of(api.get("/v1/audit?actor=ann&outcome=permission_denied"));
  ASSERT_EQ(found.at("items").as_array().size(), 1u);
  const json::object record = found.at("items").at(0).as_object();
  EXPECT_EQ(record.at("action").as_string(), "user.list");
  EXPECT_EQ(record.at("revision").to_number<int>(), 0);
  EXPECT_THAT(std::string(record.at("message").as_string()), HasSubstr("ann may not manage users"));

  const json::object made = json_of(api.get("/v1/audit?action=user.create&target=an")).at("items").at(0).as_object();
  EXPECT_EQ(made.at("after").at("display_name").as_string(), "Ann");
  EXPECT_FALSE(made.contains("before"));
  const std::string time(made.at("time").as_string());
  EXPECT_TRUE(json_of(api.get("/v1/audit?action=user.create&to=" + time)).at("items").as_array().empty());
  EXPECT_EQ(api.get("/v1/audit?from=yesterday").status, 400u);
  EXPECT_EQ(api.get("/v1/audit", {}, token_of("ann")).status, 403u);
}

TEST_F(IdentityApi, an_export_of_audit_records_has_all_of_them_a_line_each) {
  for (int i = 0; i < 600; ++i)
    api.get("/v1/users/user" + std::to_string(i), {}, token_of("ann"));  // refused, each a record of its own
  const TestApi::Headers lines = {{"Accept", "application/x-ndjson"}};
  EXPECT_EQ(api.get("/v1/audit?limit=5", lines).status, 400u);
  EXPECT_EQ(api.get("/v1/audit", lines, token_of("ann")).status, 403u);  // another record
  const std::size_t recorded = api.node.audited({.actor = "ann"}).size();
  ASSERT_GT(recorded, 500u);
  const http::Response response = api.get("/v1/audit?actor=ann", lines);
  EXPECT_EQ(response.header("Content-Type"), "application/x-ndjson");
  Collected collected;
  api.node.run([](const http::Response& answer, Collected& writer) -> Task<bool> {
    co_await answer.stream()(writer);
    co_return true;
  }(response, collected));
  EXPECT_GT(collected.pieces, 1);
  const auto parts = split(trim(collected.text), '\n');
  EXPECT_EQ(parts.size(), recorded);
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  for (const std::string_view line : parts) {
    const auto id = json::parse(line).at("id").to_number<std::uint64_t>();
    EXPECT_LT(id, last);
    last = id;
  }
}

TEST_F(IdentityApi, the_node_tells_how_it_is) {
  api.node.context().cluster_id = "the cluster";
  ASSERT_TRUE(api.node.queries().environments()) << "the counts are as last committed: let that be now";
  const json::object status = json_of(api.get("/v1/cluster"));
  EXPECT_EQ(status.at("cluster_id").as_string(), "the cluster");
  EXPECT_EQ(status.at("role").as_string(), "leader");
  EXPECT_EQ(status.at("counts").at("users").to_number<int>(), 2);
  EXPECT_FALSE(status.contains("trouble"));
  EXPECT_EQ(api.get("/v1/cluster", {}, "").status, 401u);

  EXPECT_EQ(api.get("/livez", {}, "").bytes(), "ok\n");
  EXPECT_EQ(api.get("/readyz", {}, "").status, 200u);
  EXPECT_EQ(json_of(api.get("/healthz", {}, "")).at("status").as_string(), "ok");
  EXPECT_EQ(json_of(api.get("/openapi.json", {}, "")).at("openapi").as_string(), "3.1.0");
  api.node.context().stopping = true;
  EXPECT_EQ(api.get("/livez", {}, "").status, 200u);
  EXPECT_EQ(api.get("/readyz", {}, "").status, 503u);
  const http::Response failing = api.get("/healthz", {}, "");
  EXPECT_EQ(failing.status, 503u);
  EXPECT_EQ(json_of(failing).at("status").as_string(), "failing");
}

}  // namespace
}  // namespace cc::api::native
