#include "http/server.h"

#include <atomic>

#include <boost/asio/redirect_error.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server_test_base.h"

namespace cc::http {
namespace {

using ::testing::HasSubstr;

std::string get(std::string_view target, std::string_view headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", target, headers);
}
std::string put(std::string_view target, std::string_view body, std::string_view headers = "") {
  return fmt::format("PUT {} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n{}\r\n{}", target, body.size(), headers,
                     body);
}
std::string code_of_body(const Answer& answer) {
  boost::system::error_code error;
  const auto json = boost::json::parse(answer.body, error);
  if (error) return "no JSON: " + answer.body;
  EXPECT_EQ(json.at("request_id").as_string(), answer.header("X-Request-Id"));
  return std::string(json.at("error").at("code").as_string());
}

struct HttpServer : ServerTest {
  HttpServer() {
    add(Method::get, "/hello", [](Request&) { return Response::text(200, "hello"); });
    add(Method::put, "/echo", [](Request& request) { return Response::text(200, request.body); });
    add(Method::post, "/echo", [](Request& request) { return Response::text(200, request.body); });
    add(Method::get, "/header/{name}",
        [](Request& request) { return Response::text(200, std::string(request.header(request.captures[0]))); });
    add(Method::get, "/who", [](Request& request) {
      return Response::text(200, fmt::format("{} {} {} {}", to_string(request.method), request.target,
                                             request.remote_address, request.request_id));
    });
    add(Method::delete_, "/nothing", [](Request&) { return Response(204); });
    add(Method::get, "/unchanged", [](Request&) { return Response(304).header("ETag", "\"1\"").body("never sent"); });
    add(Method::get, "/throws", [](Request&) -> Response { throw std::runtime_error("as the test wants"); });
    add(Method::get, "/large", [](Request&) { return Response::text(200, std::string(8u << 20, 'x')); });
    options.compress = false;
  }
};

TEST_F(HttpServer, AnswersAndKeepsTheConnection) {
  start();
  RawClient client(port());
  for (int i = 0; i < 3; ++i) {
    const Answer answer = client.ask(get("/hello"));
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(answer.header("Content-Length"), "5");
    EXPECT_FALSE(answer.has("Connection"));
  }
}

TEST_F(HttpServer, SendsADate) {
  start();
  RawClient client(port());
  EXPECT_THAT(client.ask(get("/hello")).header("Date"),
              ::testing::MatchesRegex("[A-Z][a-z]+, [0-9]+ [A-Z][a-z]+ [0-9]+ [0-9:]+ GMT"));
}

TEST_F(HttpServer, NamesEachRequest) {
  start();
  RawClient client(port());
  const std::string first = client.ask(get("/hello")).header("X-Request-Id");
  const std::string second = client.ask(get("/hello")).header("X-Request-Id");
  EXPECT_FALSE(first.empty());
  EXPECT_NE(first, second);
  EXPECT_EQ(client.ask(get("/hello", "X-Request-Id: my-request.1_A\r\n")).header("X-Request-Id"), "my-request.1_A");
  EXPECT_THAT(client.ask(get("/who", "X-Request-Id: mine\r\n")).body, "GET /who 127.0.0.1 mine");
  for (const std::string& bad : {std::string("a b"), std::string("a\"b"), std::string(65, 'a')}) {
    EXPECT_NE(client.ask(get("/hello", fmt::format("X-Request-Id: {}\r\n", bad))).header("X-Request-Id"), bad);
  }
}

TEST_F(HttpServer, GivesHandlersTheHeaderFields) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask(get("/header/x-thing", "X-THING:  some value \r\n")).body, "some value");
  EXPECT_EQ(client.ask(get("/header/x-other")).body, "");
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  start();
  RawClient client(port());
  std::string all;
  for (int i = 0; i < 500; ++i)
    all += put("/echo", std::to_string(i));
  client.send(all);
  for (int i = 0; i < 500; ++i)
    ASSERT_EQ(client.answer().body, std::to_string(i));
}

TEST_F(HttpServer, OneThatPipelinesLeavesOthersTheirTurn) {
  std::promise<void> release;
  std::atomic<int> answered = 0, before_the_other = 0;
  add(Method::get, "/hold", [&](Request&) {
    release.get_future().wait();
    return Response(204);
  });
  add(Method::get, "/count", [&](Request&) {
    ++answered;
    return Response(204);
  });
  add(Method::get, "/other", [&](Request&) {
    before_the_other = answered.load();
    return Response(204);
  });
  start();
  RawClient eager(port()), other(port());
  EXPECT_EQ(other.ask(get("/hello")).status, 200U);
  std::string all = get("/hold");
  for (int i = 0; i < 1000; ++i)
    all += get("/count");
  eager.send(all);
  other.send(get("/other"));
  release.set_value();
  EXPECT_EQ(other.answer().status, 204U);
  for (int i = 0; i < 1001; ++i)
    ASSERT_EQ(eager.answer().status, 204U);
  EXPECT_LT(before_the_other, 200);
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrderWhenTheFirstWaits) {
  asio::steady_timer never(io, asio::steady_timer::time_point::max());
  router.add(Method::get, "/wait", [&never](Request&) -> Task<Response> {
    boost::system::error_code ignored;
    co_await never.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return Response::text(200, "waited");
  });
  add(Method::get, "/wake", [&never](Request&) {
    never.cancel();
    return Response(204);
  });
  start();
  RawClient client(port());
  client.send(get("/wait") + get("/hello"));
  RawClient other(port());
  Answer woken;
  // The first request may not have reached its handler yet: wake until it was.
  pollfd readable{.fd = client.socket(), .events = POLLIN, .revents = 0};
  do {
    EXPECT_EQ(other.ask(get("/wake")).status, 204U);
  } while (::poll(&readable, 1, 1) == 0);
  EXPECT_EQ(client.answer().body, "waited");
  EXPECT_EQ(client.answer().body, "hello");
}

TEST_F(HttpServer, TakesARequestByteByByte) {
  start();
  RawClient client(port());
  client.send_byte_by_byte(put("/echo", "one at a time") + get("/hello"));
  EXPECT_EQ(client.answer().body, "one at a time");
  EXPECT_EQ(client.answer().body, "hello");
  client.send_byte_by_byte(
      "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;name=value\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n");
  EXPECT_EQ(client.answer().body, "abc0123456789");
}

TEST_F(HttpServer, TakesAChunkedBodyAndWhatFollowsIt) {
  start();
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" +
              get("/hello"));
  EXPECT_EQ(client.answer().body, "hello");
  EXPECT_EQ(client.answer().body, "hello");
}

TEST_F(HttpServer, ATrailerIsNoHeader) {
  add(Method::post, "/authorization",
      [](Request& request) { return Response::text(200, std::string(request.header("Authorization"))); });
  start();
  RawClient client(port());
  EXPECT_EQ(client
                .ask("POST /authorization HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "1\r\nx\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n")
                .body,
            "");
}

TEST_F(HttpServer, TakesALargeBodyInBothFramings) {
  start();
  std::string body;
  for (int i = 0; body.size() < 3'000'000; ++i)
    body += std::to_string(i) + ",";
  RawClient client(port());
  EXPECT_TRUE(client.ask(put("/echo", body)).body == body);
  std::string chunked = "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0, size = 1; at < body.size(); at += size, size = size * 3 % 70'001 + 1) {
    const std::string piece = body.substr(at, size);
    chunked += fmt::format("{:X}\r\n{}\r\n", piece.size(), piece);
  }
  EXPECT_TRUE(client.ask(chunked + "0\r\n\r\n").body == body);
}

TEST_F(HttpServer, SendsALargeBodyToASlowReader) {
  start();
  RawClient client(port());
  client.send(get("/large"));
  client.send(get("/hello"));
  EXPECT_EQ(client.answer().body.size(), 8u << 20);
  EXPECT_EQ(client.answer().body, "hello");
}

TEST_F(HttpServer, AnswersHeadWithoutABody) {
  start();
  RawClient client(port());
  const Answer answer = client.ask("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n", true);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.header("Content-Length"), "5");
  EXPECT_EQ(client.ask("HEAD /absent HTTP/1.1\r\nHost: a\r\n\r\n", true).status, 404U);
  EXPECT_EQ(client.ask(get("/hello")).body, "hello");
}

TEST_F(HttpServer, SendsNoBodyWhereTheStatusHasNone) {
  start();
  RawClient client(port());
  const Answer nothing = client.ask("DELETE /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(nothing.status, 204U);
  EXPECT_FALSE(nothing.has("Content-Length"));
  const Answer unchanged = client.ask(get("/unchanged"));
  EXPECT_EQ(unchanged.status, 304U);
  EXPECT_EQ(unchanged.header("ETag"), "\"1\"");
  EXPECT_EQ(client.ask(get("/hello")).body, "hello");
}

TEST_F(HttpServer, TellsAClientThatExpectsItToContinue) {
  start();
  RawClient client(port());
  client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.ask("body").body, "body");
  EXPECT_EQ(client.ask(put("/echo", "sent at once", "Expect: 100-continue\r\n")).body, "sent at once");
}

TEST_F(HttpServer, DoesNotAskForABodyThatNobodyWillRead) {
  start();
  RawClient client(port());
  client.send("PUT /absent HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.answer().status, 404U);
  RawClient large(port());
  large.send("PUT /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_EQ(large.answer().status, 413U);
  RawClient other(port());
  EXPECT_EQ(other.ask(put("/echo", "x", "Expect: miracles\r\n")).status, 417U);
}

TEST_F(HttpServer, ClosesWhenAsked) {
  start();
  RawClient client(port());
  const Answer answer = client.ask(get("/hello", "Connection: close\r\n"));
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(client.closed_without_more());
}

TEST_F(HttpServer, SpeaksHttp10) {
  start();
  RawClient once(port());
  const Answer answer = once.ask("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(once.closed_without_more());
  RawClient kept(port());
  EXPECT_EQ(kept.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("Connection"), "keep-alive");
  EXPECT_EQ(kept.ask("GET /hello HTTP/1.0\r\n\r\n").body, "hello");
}

TEST_F(HttpServer, AnswersAClientThatStoppedSending) {
  start();
  RawClient client(port());
  client.send(get("/hello") + get("/hello"));
  client.finish_sending();
  EXPECT_EQ(client.answer().body, "hello");
  EXPECT_EQ(client.answer().body, "hello");
  EXPECT_TRUE(client.closed_without_more());
}

TEST_F(HttpServer, KnowsNoOtherPaths) {
  start();
  RawClient client(port());
  const Answer answer = client.ask(get("/absent"));
  EXPECT_EQ(answer.status, 404U);
  EXPECT_EQ(code_of_body(answer), "not_found");
  EXPECT_EQ(client.ask(get("/hello")).status, 200U);
}

TEST_F(HttpServer, ShowsNoHandlerWhatIsNotUtf8) {
  start();
  RawClient client(port());
  for (const char* target : {"/header/%FF", "/header/\xff", "/hello?a=%FF", "/hello?\xc3", "/absent/\xff"}) {
    const Answer answer = client.ask(get(target));
    EXPECT_EQ(answer.status, 400U) << target;
    EXPECT_EQ(code_of_body(answer), "invalid_argument") << target;
  }
  EXPECT_EQ(client.ask(get("/hello?a=中")).body, "hello");
}

TEST_F(HttpServer, NamesTheMethodsOfAPath) {
  start();
  RawClient client(port());
  const Answer answer = client.ask("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(answer.status, 405U);
  EXPECT_EQ(answer.header("Allow"), "PUT, POST, OPTIONS");
  EXPECT_EQ(client.ask("PATCH /echo HTTP/1.1\r\nHost: a\r\n\r\n").status, 405U);
  const Answer options = client.ask("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(options.status, 204U);
  EXPECT_EQ(options.header("Allow"), "PUT, POST, OPTIONS");
}

TEST_F(HttpServer, RefusesMethodsThatNobodyKnows) {
  start();
  RawClient client(port());
  const Answer answer = client.ask("BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(answer.status, 501U);
  EXPECT_EQ(code_of_body(answer), "invalid_argument");
  EXPECT_TRUE(client.closed_without_more());
}

TEST_F(HttpServer, UnderstandsTargetsAsSentToProxies) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask(get("http://example.org:80/hello?x=1")).body, "hello");
  EXPECT_EQ(client.ask(get("HTTP://example.org")).status, 404U);
}

TEST_F(HttpServer, AHandlersExceptionIsAFaultOfTheServerNotOfTheConnection) {
  start();
  RawClient client(port());
  const Answer answer = client.ask(get("/throws"));
  EXPECT_EQ(answer.status, 500U);
  EXPECT_EQ(code_of_body(answer), "internal");
  EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("as the test wants")));
  EXPECT_EQ(client.ask(get("/hello")).status, 200U);
}

TEST_F(HttpServer, ReportsEachAnswer) {
  std::vector<std::string> seen;
  std::mutex mutex;
  options.on_answered = [&](std::string_view route, Method method, unsigned status,
                            std::optional<std::chrono::nanoseconds> took) {
    const std::lock_guard lock(mutex);
    seen.push_back(fmt::format("{} {} {} {}", to_string(method), route, status, took ? took->count() : -1));
  };
  add(Method::get, "/takes/{ms}", [&](Request& request) {
    clock.advance(std::chrono::milliseconds(std::stoi(request.captures[0])));
    return Response(204);
  });
  add(Method::get, "/waits", [&](Request& request) {
    request.begin_to_wait();
    clock.advance(std::chrono::minutes(1));
    return Response(304);
  });
  start();
  RawClient client(port());
  client.ask(get("/takes/7"));
  client.ask(get("/waits"));
  client.ask(get("/absent"));
  client.ask(get("/hello", "Connection: close\r\n"));
  client.rest();
  client.close();
  stop(std::chrono::seconds(20));
  EXPECT_THAT(seen, ::testing::ElementsAre("GET /takes/{ms} 204 7000000", "GET /waits 304 -1", "GET  404 0",
                                           "GET /hello 200 0"));
}

TEST_F(HttpServer, AnswersConnectionsOverTheLimitWith503) {
  usage.most_connections = 2;
  start();
  RawClient first(port()), second(port());
  EXPECT_EQ(first.ask(get("/hello")).status, 200U);
  EXPECT_EQ(second.ask(get("/hello")).status, 200U);
  RawClient third(port());
  const Answer answer = third.ask(get("/hello"));
  EXPECT_EQ(answer.status, 503U);
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_EQ(code_of_body(answer), "unavailable");
  EXPECT_TRUE(third.closed_without_more());
  third.close();
  first.close();
  wait_for_connections(1);
  RawClient fourth(port());
  EXPECT_EQ(fourth.ask(get("/hello")).status, 200U);
  EXPECT_EQ(usage.connections.load(), 2U);
}

TEST_F(HttpServer, SaysWhenThePortIsTaken) {
  asio::io_context other_io;
  asio::ip::tcp::acceptor other(other_io, {asio::ip::make_address("127.0.0.1"), 0});
  options.port = other.local_endpoint().port();
  options.port_setting = "the.setting";
  const auto refused = Server::listen(io, options, router, usage, clock);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(options.port)));
  EXPECT_THAT(refused.error().message, HasSubstr("the.setting"));
}

TEST_F(HttpServer, SaysWhichSettingIsWrongWhenTheAddressIsNoneOfThisMachine) {
  options.host = "192.0.2.1";  // of documentation
  options.port = 0;
  const auto refused = Server::listen(io, options, router, usage, clock);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("server.host"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("port")));
}

TEST_F(HttpServer, SharesItsPortWithTheOtherThreadsOfTheProcess) {
  start();
  options.port = port();
  asio::io_context other_io;
  EXPECT_TRUE(Server::listen(other_io, options, router, usage, clock));
}

}  // namespace
}  // namespace cc::http
