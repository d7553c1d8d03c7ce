#include "node/waiting.h"

#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::node {
namespace {

using consensus::Membership;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

consensus::Status group_of_three() {
  return {.node_id = 1,
          .servers = {{.id = 1, .address = "a:1", .membership = Membership::voter},
                      {.id = 2, .address = "b:1", .membership = Membership::voter},
                      {.id = 3, .address = "c:1", .membership = Membership::voter}}};
}

TEST(WaitsFor, says_what_the_log_waits_for_as_long_as_there_is_none) {
  EXPECT_EQ(waits_for({.node_id = 1, .waits_for = "node 2 at b:1"}, false), "it waits for node 2 at b:1");
}

TEST(WaitsFor, names_the_other_nodes_as_long_as_there_is_no_leader) {
  EXPECT_THAT(waits_for(group_of_three(), false),
              AllOf(HasSubstr("more than half"), HasSubstr("node 2 at b:1, node 3 at c:1"), Not(HasSubstr("a:1"))));
}

TEST(WaitsFor, names_the_leader_that_makes_the_cluster) {
  auto status = group_of_three();
  status.leader_id = 2;
  EXPECT_THAT(waits_for(status, false), HasSubstr("node 2"));
  status.leader_id = 1;
  EXPECT_EQ(waits_for(status, false), "the cluster is being made");
}

TEST(WaitsFor, tells_what_adds_a_node_that_joins) {
  EXPECT_THAT(waits_for({.node_id = 4}, true), AllOf(HasSubstr("4"), HasSubstr("config-center cluster add")));
  auto added = group_of_three();
  added.leader_id = 2;
  EXPECT_THAT(waits_for(added, true), HasSubstr("node 2"));
}

TEST(WaitsFor, says_what_is_wrong_with_the_log) {
  EXPECT_THAT(waits_for({.node_id = 1, .trouble = "no room"}, false), HasSubstr("no room"));
}

http::Response ask(const http::Router& router, http::Method method, std::string target) {
  http::Request request;
  request.method = method;
  request.target = std::move(target);
  request.request_id = "r1";
  const auto match = router.match(request);
  if (match.handler == nullptr) return http::Response(match.status);
  boost::asio::io_context io;
  auto answer = boost::asio::co_spawn(io, (*match.handler)(request), boost::asio::use_future);
  io.run();
  return answer.get();
}

TEST(WaitingRoutes, say_that_the_process_lives_and_does_not_serve) {
  http::Router router;
  add_waiting_routes(router, [] { return "node 2"; });
  EXPECT_EQ(ask(router, http::Method::get, "/livez").status, 200u);
  const auto ready = ask(router, http::Method::get, "/readyz?for=writes");
  EXPECT_EQ(ready.status, 503u);
  EXPECT_THAT(std::string(ready.bytes()), HasSubstr("node 2"));
  for (const auto& [method, target] :
       {std::pair(http::Method::get, "/"), std::pair(http::Method::get, "/healthz"),
        std::pair(http::Method::post, "/v1/login"), std::pair(http::Method::put, "/v1/configs/a/b/c/d"),
        std::pair(http::Method::delete_, "/v1/keys/x")}) {
    const auto answer = ask(router, method, target);
    EXPECT_EQ(answer.status, 503u) << target;
    EXPECT_EQ(answer.header("Retry-After"), "1") << target;
    EXPECT_THAT(std::string(answer.bytes()), AllOf(HasSubstr("unavailable"), HasSubstr("node 2"))) << target;
  }
}

}  // namespace
}  // namespace cc::node
