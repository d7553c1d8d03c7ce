// For tests: the routes of the native protocol on a node for tests, without a network.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "api/native/routes.h"
#include "base/bytes.h"
#include "http/exchange.h"
#include "http/router.h"
#include "service/test_node.h"

namespace cc::api::native {

class TestApi {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  using Running = std::shared_ptr<service::TestNode::Running<http::Response>>;

  TestApi() { add_all_routes(router_, node.context()); }

  service::TestNode node;

  // A request by `token`, or by the administrator when that is "admin", or by nobody when it is "".
  http::Response send(http::Method method, std::string target, std::string body = {}, const Headers& headers = {},
                      const std::string& token = "admin") {
    return start(method, std::move(target), std::move(body), headers, token)->value();
  }
  http::Response get(std::string target, const Headers& headers = {}, const std::string& token = "admin") {
    return send(http::Method::get, std::move(target), {}, headers, token);
  }
  http::Response put(std::string target, std::string body, const Headers& headers = {}) {
    return send(http::Method::put, std::move(target), std::move(body), headers);
  }
  http::Response post(std::string target, std::string body, const Headers& headers = {}) {
    return send(http::Method::post, std::move(target), std::move(body), headers);
  }

  // A request that goes on while the test does other things.
  Running start(http::Method method, std::string target, std::string body = {}, const Headers& headers = {},
                const std::string& token = "admin") {
    auto request = std::make_shared<http::Request>();
    request->method = method;
    request->target = std::move(target);
    request->body = std::move(body);
    request->remote_address = "10.0.0.1";
    request->request_id = random_id();
    if (!token.empty()) request->add_header("Authorization", token == "admin" ? node.token("admin") : token);
    for (const auto& [name, value] : headers) {
      if (name == "X-Request-Id") request->request_id = value;
      request->add_header(name, value);
    }
    return node.start(answer(std::move(request)));
  }
  // The same for a request that the test keeps.
  Running start(http::Request& request) { return node.start(answer({std::shared_ptr<void>(), &request})); }

 private:
  Task<http::Response> answer(std::shared_ptr<http::Request> request) {
    const auto match = router_.match(*request);
    if (match.handler == nullptr) co_return http::Response(match.status);
    co_return co_await (*match.handler)(*request);
  }

  http::Router router_;
};

inline boost::json::object json_of(const http::Response& response) {
  return boost::json::parse(response.bytes()).as_object();
}
inline std::string error_code(const http::Response& response) {
  return std::string(std::string_view(json_of(response).at("error").at("code").as_string()));
}

}  // namespace cc::api::native
