#include "http/client.h"

#include <boost/asio/redirect_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/test_certificate.h"
#include "http/server_test_base.h"
#include "http/url.h"

namespace cc::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

TEST(ServerUrl, NamesSchemeHostAndPort) {
  const auto url = parse_server_url("http://127.0.0.1:8848/");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->tls);
  EXPECT_EQ(url->host, "127.0.0.1");
  EXPECT_EQ(url->port, "8848");
  EXPECT_EQ(url->authority(), "127.0.0.1:8848");
  EXPECT_EQ(parse_server_url("HTTPS://config.example.org")->authority(), "config.example.org");
  EXPECT_EQ(parse_server_url("https://config.example.org")->port, "443");
  EXPECT_EQ(parse_server_url("http://[::1]:80")->host, "::1");
  EXPECT_EQ(parse_server_url("http://[::1]:81")->authority(), "[::1]:81");
}

TEST(ServerUrl, RefusesWhatIsNone) {
  for (const char* text : {"", "127.0.0.1:8848", "ftp://a", "http://", "http://:80", "http://a:", "http://a:0",
                           "http://a:65536", "http://a:b", "http://a/b", "http://a?b", "http://u@a", "http://[::1",
                           "http://[::1]80", "http://a b", "http://a\r\nb"}) {
    const auto url = parse_server_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Code::invalid_argument);
    EXPECT_FALSE(Client::make({.url = text}));
  }
}

TEST(ErrorOf, IsWhatTheServerSaid) {
  ClientResponse response{.status = 412,
                          .headers = {},
                          .body = R"({"error":{"code":"conflict","message":"it changed","details":{"revision":9}}})"};
  Error error = error_of(response);
  EXPECT_EQ(error.code, Code::conflict);
  EXPECT_EQ(error.message, "it changed");
  EXPECT_EQ(error.details, R"({"revision":9})");
}

TEST(ErrorOf, IsMadeOfTheStatusWhenAnotherServerAnswered) {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"error":"no"})", R"({"error":{"code":7,"message":"no"}})"}) {
    const Error error = error_of({.status = 502, .headers = {}, .body = body});
    EXPECT_EQ(error.code, Code::unavailable) << body;
    EXPECT_THAT(error.message, HasSubstr("502 Bad Gateway"));
  }
  EXPECT_EQ(error_of({.status = 404, .headers = {}, .body = ""}).code, Code::not_found);
}

struct HttpClient : ServerTest {
  HttpClient() {
    add(Method::get, "/hello", [](Request&) { return Response::text(200, "hello"); });
    add(Method::get, "/header/{name}",
        [](Request& request) { return Response::text(200, std::string(request.header(request.captures[0]))); });
    add(Method::put, "/echo", [](Request& request) { return Response::text(201, request.body); });
    add(Method::post, "/echo", [](Request& request) { return Response::text(200, request.body); });
    add(Method::get, "/close", [](Request&) { return Response(204); });
    add(Method::get, "/fails",
        [](Request& request) { return Response::error({Code::not_found, "no such thing"}, request.request_id); });
    router.add(Method::get, "/never", [this](Request&) -> Task<Response> {
      asio::steady_timer never(io, asio::steady_timer::time_point::max());
      co_await never.async_wait(asio::use_awaitable);
      co_return Response(204);
    });
    router.add(Method::get, "/stream", [](Request&) -> Task<Response> {
      co_return Response(200).stream([](StreamWriter& writer) -> Task<> {
        for (int i = 0; i < 1000; ++i) {
          if (!co_await writer.write("line " + std::to_string(i) + "\n")) co_return;
        }
      });
    });
  }
  Client client(ClientOptions options = {}) {
    options.url = "http://127.0.0.1:" + std::to_string(port());
    return *Client::make(std::move(options));
  }
};

TEST_F(HttpClient, AsksAndReadsTheAnswer) {
  start();
  Client asking = client();
  const auto hello = asking.send({.target = "/hello"});
  ASSERT_TRUE(hello) << hello.error().message;
  EXPECT_EQ(hello->status, 200U);
  EXPECT_EQ(hello->body, "hello");
  EXPECT_EQ(hello->header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(hello->header("absent"), "");
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(asking.send({.method = "PUT", .target = "/echo", .body = large})->body, large);
  const auto head = asking.send({.method = "HEAD", .target = "/hello"});
  ASSERT_TRUE(head);
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(head->header("Content-Length"), "5");
  EXPECT_EQ(asking.send({.target = "/close"})->status, 204U);
  EXPECT_EQ(asking.send({.method = "POST", .target = "/echo"})->body, "");
  EXPECT_EQ(connections(), 1U);
}

TEST_F(HttpClient, SendsHeadersAndToken) {
  start();
  Client asking = client({.bearer = "secret"});
  EXPECT_EQ(asking.send({.target = "/header/authorization"})->body, "Bearer secret");
  EXPECT_EQ(asking.send({.target = "/header/x-thing", .headers = {{"X-Thing", "value"}}})->body, "value");
  EXPECT_EQ(asking.send({.target = "/header/host"})->body, "127.0.0.1:" + std::to_string(port()));
}

TEST_F(HttpClient, AnAnswerWithAnErrorIsAnAnswer) {
  start();
  Client asking = client();
  const auto answer = asking.send({.target = "/fails"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 404U);
  EXPECT_EQ(error_of(*answer).message, "no such thing");
}

TEST_F(HttpClient, ConnectsAgainWhenTheServerClosed) {
  options.limits.idle_time = milliseconds(40);
  start();
  Client asking = client();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(asking.send({.method = "POST", .target = "/echo", .body = "x"})->body, "x");
    wait_until([&] {
      clock.advance(milliseconds(20));
      return connections() == 0;
    });
  }
  EXPECT_EQ(asking.send({.target = "/hello", .headers = {{"Connection", "close"}}})->body, "hello");
  EXPECT_EQ(asking.send({.target = "/hello"})->body, "hello");
}

TEST_F(HttpClient, GetsTheAnswerToABodyThatIsTooLarge) {
  options.limits.body = 1000;
  start();
  Client asking = client();
  const auto refused = asking.send({.method = "PUT", .target = "/echo", .body = std::string(20'000'000, 'x')});
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 413U);
  EXPECT_EQ(asking.send({.target = "/hello"})->status, 200U);
}

TEST_F(HttpClient, GivesUpInTime) {
  start();
  Client asking = client({.timeout = milliseconds(30)});
  const auto late = asking.send({.target = "/never", .wait = milliseconds(20)});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::timeout);
  EXPECT_THAT(late.error().message, HasSubstr(std::to_string(port())));
}

TEST_F(HttpClient, SaysWhereNobodyListens) {
  start();
  Client asking = client();
  stop(seconds(0));
  const auto refused = asking.send({.target = "/hello"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("Connection refused"));
}

TEST_F(HttpClient, StreamsUntilItIsTold) {
  start();
  Client asking = client();
  std::string all;
  const auto whole = asking.stream({.target = "/stream"}, [&](std::string_view bytes) {
    all += bytes;
    return true;
  });
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_TRUE(all.starts_with("line 0\nline 1\n"));
  EXPECT_TRUE(all.ends_with("line 999\n"));
  int calls = 0;
  EXPECT_TRUE(asking.stream({.target = "/stream"}, [&](std::string_view) {
    ++calls;
    return false;
  }));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(asking.send({.target = "/hello"})->body, "hello");
}

TEST_F(HttpClient, AStreamThatIsRefusedHasItsErrorInTheBody) {
  start();
  Client asking = client();
  const auto refused = asking.stream({.target = "/fails"}, [](std::string_view) { return true; });
  ASSERT_TRUE(refused);
  EXPECT_EQ(error_of(*refused).code, Code::not_found);
}

struct Https : HttpClient {
  Https() {
    authority.issue("server");
    options.tls = *TlsContext::load(authority.certificate_file("server"), authority.key_file("server"));
  }
  Client secure(ClientOptions with = {}) {
    with.url = "https://127.0.0.1:" + std::to_string(port());
    if (with.ca_file.empty()) with.ca_file = authority.ca_file();
    return *Client::make(std::move(with));
  }

  TempDirectory directory;
  TestAuthority authority{directory.path()};
};

TEST_F(Https, AnswersSmallAndLarge) {
  start();
  Client asking = secure();
  for (int i = 0; i < 3; ++i) {
    const auto hello = asking.send({.target = "/hello"});
    ASSERT_TRUE(hello) << hello.error().message;
    EXPECT_EQ(hello->body, "hello");
  }
  const std::string large = random_bytes(3'000'000);
  const auto echoed = asking.send({.method = "PUT", .target = "/echo", .body = large});
  ASSERT_TRUE(echoed) << echoed.error().message;
  EXPECT_TRUE(echoed->body == large);
  EXPECT_EQ(connections(), 1U);
}

TEST_F(Https, Streams) {
  start();
  Client asking = secure();
  std::string all;
  EXPECT_TRUE(asking.stream({.target = "/stream"}, [&](std::string_view bytes) {
    all += bytes;
    return true;
  }));
  EXPECT_TRUE(all.ends_with("line 999\n"));
}

TEST_F(Https, IsNotTrustedWithoutItsAuthority) {
  start();
  TempDirectory elsewhere;
  const TestAuthority other(elsewhere.path());
  const auto refused = secure({.ca_file = other.ca_file()}).send({.target = "/hello"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unauthenticated);
  EXPECT_THAT(refused.error().message, HasSubstr("--ca-file"));
}

TEST_F(Https, IsNotTrustedUnderAnotherName) {
  authority.issue("server", "DNS:elsewhere.example.org");
  ASSERT_TRUE(options.tls->reload());
  start();
  EXPECT_FALSE(secure().send({.target = "/hello"}));
}

TEST_F(Https, ReloadsItsCertificateForNewConnections) {
  start();
  Client old = secure();
  EXPECT_TRUE(old.send({.target = "/hello"}));
  TempDirectory elsewhere;
  TestAuthority other(elsewhere.path());
  other.issue("server");
  for (const auto& [from, to] : {std::pair(other.certificate_file("server"), authority.certificate_file("server")),
                                 std::pair(other.key_file("server"), authority.key_file("server"))})
    ASSERT_TRUE(write_file(to, *read_file(from)));
  ASSERT_TRUE(options.tls->reload());
  EXPECT_TRUE(old.send({.target = "/hello"}));
  EXPECT_FALSE(secure().send({.target = "/hello"}));
  EXPECT_TRUE(secure({.ca_file = other.ca_file()}).send({.target = "/hello"}));
}

TEST_F(Https, KeepsItsCertificateWhenTheNewOneIsBroken) {
  start();
  ASSERT_TRUE(write_file(authority.key_file("server"), "no key"));
  const auto reloaded = options.tls->reload();
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().message, HasSubstr("server.key"));
  EXPECT_TRUE(secure().send({.target = "/hello"}));
}

TEST_F(Https, WantsFilesThatBelongTogether) {
  authority.issue("other");
  EXPECT_FALSE(TlsContext::load(authority.certificate_file("server"), authority.key_file("other")));
  EXPECT_FALSE(TlsContext::load(authority.certificate_file("absent"), authority.key_file("server")));
  EXPECT_FALSE(TlsContext::load(authority.certificate_file("server"), authority.key_file("server"), "/absent/ca.pem"));
}

TEST_F(Https, DemandsACertificateOfClientsWhenItHasAnAuthorityForThem) {
  options.tls =
      *TlsContext::load(authority.certificate_file("server"), authority.key_file("server"), authority.ca_file());
  start();
  const auto refused = secure().send({.target = "/hello"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unauthenticated);
  EXPECT_THAT(refused.error().message, HasSubstr("--cert-file"));
  authority.issue("client");
  const std::string certificate = authority.certificate_file("client"), key = authority.key_file("client");
  const auto answer = secure({.cert_file = certificate, .key_file = key}).send({.target = "/hello"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "hello");
  for (const auto& [cert_file, key_file] :
       {std::pair(certificate, std::string()), std::pair(certificate, authority.key_file("server"))}) {
    const auto made = Client::make({.url = "https://127.0.0.1:1", .cert_file = cert_file, .key_file = key_file});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::invalid_argument);
  }
}

TEST_F(Https, SurvivesClientsThatSpeakSomethingElse) {
  options.limits.header_time = milliseconds(60);
  start();
  RawClient plain(port());
  plain.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  plain.rest();
  RawClient silent(port());
  pass_time_until_answered(silent);
  EXPECT_TRUE(silent.closed_without_more());
  EXPECT_TRUE(secure().send({.target = "/hello"}));
}

TEST_F(Https, StopsAtOnceWhenAStreamEnds) {
  std::promise<void> stop_begins;
  auto began = stop_begins.get_future();
  const auto gate = std::make_shared<asio::steady_timer>(io, asio::steady_timer::time_point::max());
  router.add(Method::get, "/events", [&](Request&) -> Task<Response> {
    co_return Response(200).stream([&](StreamWriter& writer) -> Task<> {
      co_await writer.write("first\n");
      stop_begins.set_value();
      boost::system::error_code error;
      co_await gate->async_wait(asio::redirect_error(asio::use_awaitable, error));
    });
  });
  start();
  std::string all;
  Client asking = secure();  // keeps its connection
  std::thread reading([&] {
    EXPECT_TRUE(asking.stream({.target = "/events"}, [&](std::string_view bytes) {
      all += bytes;
      return true;
    }));
  });
  began.get();
  auto stopping = begin_to_stop(seconds(1000));
  stopped = true;
  wait_until([&] {
    asio::post(io, [gate] { gate->cancel(); });
    return stopping.wait_for(milliseconds(1)) == std::future_status::ready;
  });
  reading.join();
  EXPECT_EQ(all, "first\n");
}

}  // namespace
}  // namespace cc::http
