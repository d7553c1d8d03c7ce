// What a server refuses: too large, too slow, malformed, ambiguous.
#include <atomic>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server_test_base.h"

namespace cc::http {
namespace {

using std::chrono::milliseconds;
using ::testing::AnyOf;
using ::testing::HasSubstr;

struct HttpLimits : ServerTest {
  HttpLimits() {
    options.limits.header = 4096;
    options.limits.body = 10'000;
    add(Method::get, "/hello", [](Request&) { return Response::text(200, "hello"); });
    add(Method::put, "/echo", [](Request& request) { return Response::text(200, request.body); });
    add(Method::get, "/large", [](Request&) { return Response::text(200, std::string(64u << 20, 'x')); });
  }

  // The status of the answer to `bytes`, after which the server must close.
  unsigned refusal(std::string_view bytes, bool late = false) {
    RawClient client(port());
    client.send(bytes);
    if (late) pass_time_until_answered(client);
    const Answer answer = client.answer();
    EXPECT_EQ(answer.header("Connection"), "close") << bytes.substr(0, 200);
    EXPECT_EQ(answer.header("Content-Type"), "application/json") << bytes.substr(0, 200);
    EXPECT_FALSE(answer.header("X-Request-Id").empty());
    EXPECT_FALSE(answer.has("Retry-After")) << "a client that sent it again would be refused again";
    EXPECT_TRUE(client.closed_without_more()) << bytes.substr(0, 200);
    return answer.status;
  }
};

TEST_F(HttpLimits, RefusesLargeHeaders) {
  start();
  EXPECT_EQ(refusal("GET /hello HTTP/1.1\r\nHost: a\r\nX-Large: " + std::string(5000, 'x') + "\r\n\r\n"), 431U);
  EXPECT_EQ(refusal("GET /hello HTTP/1.1\r\nHost: a\r\nX-Large: " + std::string(5000, 'x')), 431U);
  std::string many = "GET /hello HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 101; ++i)
    many += fmt::format("A{}: b\r\n", i);
  EXPECT_EQ(refusal(many + "\r\n"), 431U);
}

TEST_F(HttpLimits, TakesHeadersUpToTheLimit) {
  start();
  RawClient client(port());
  std::string request = "GET /hello HTTP/1.1\r\nHost: a\r\nX-Large: ";
  request += std::string(4096 - request.size() - 4, 'x') + "\r\n\r\n";
  ASSERT_EQ(request.size(), 4096U);
  EXPECT_EQ(client.ask(request).status, 200U);
  std::string many = "GET /hello HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 99; ++i)
    many += fmt::format("A{}: b\r\n", i);
  EXPECT_EQ(client.ask(many + "\r\n").status, 200U);
}

TEST_F(HttpLimits, RefusesLongTargets) {
  start();
  EXPECT_EQ(refusal("GET /" + std::string(3000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414U);
  EXPECT_EQ(refusal("GET /" + std::string(9000, 'x')), 414U);
}

TEST_F(HttpLimits, RefusesLargeBodiesBeforeTheyAreSent) {
  start();
  EXPECT_EQ(refusal("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10001\r\n\r\n"), 413U);
  EXPECT_EQ(refusal("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n"), 413U);
  EXPECT_EQ(refusal("PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n"), 413U);
  EXPECT_EQ(refusal("PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n" +
                    std::string(10'000, 'x') + "\r\n1\r\n"),
            413U);
}

TEST_F(HttpLimits, TakesBodiesUpToTheLimit) {
  start();
  RawClient client(port());
  const std::string body(10'000, 'x');
  EXPECT_EQ(client.ask("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n" + body).body, body);
  EXPECT_EQ(
      client.ask("PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n" + body + "\r\n0\r\n\r\n")
          .body,
      body);
}

TEST_F(HttpLimits, TheAnswerToALargeBodyReachesAClientThatSendsItAllTheSame) {
  start();
  RawClient client(port());
  client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  client.send(std::string(1'000'000, 'x'));
  EXPECT_EQ(client.answer().status, 413U);
}

TEST_F(HttpLimits, RefusesBodiesOfTwoLengths) {
  start();
  const std::string start_line = "PUT /echo HTTP/1.1\r\nHost: a\r\n";
  const std::string smuggled = "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const char* fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: 5, 5\r\n",
           "Content-Length: 5,6\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: -5\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 5 5\r\n",
           "Content-Length: \r\n",
           "Content-Length: 99999999999999999999999999\r\n",
           "Content-Length : 5\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding : chunked\r\n",
           "Transfer-Encoding:\r\n chunked\r\n",
           "Content-Length: 5\r\n\tTransfer-Encoding: chunked\r\n",
       }) {
    EXPECT_EQ(refusal(start_line + fields + "\r\n" + smuggled), 400U) << fields;
  }
  for (const char* fields : {
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding: chunked, gzip\r\n",
           "Transfer-Encoding: identity\r\n",
           "Transfer-Encoding: xchunked\r\n",
           "Transfer-Encoding: chunked, chunked\r\n",
           "Transfer-Encoding: \"chunked\"\r\n",
       }) {
    EXPECT_THAT(refusal(start_line + fields + "\r\n" + smuggled), AnyOf(400U, 501U)) << fields;
  }
  EXPECT_EQ(refusal("PUT /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled), 400U);
}

TEST_F(HttpLimits, RefusesBrokenChunks) {
  start();
  const std::string head = "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* chunks : {
           "g\r\n",
           "-1\r\n",
           " 5\r\nhello\r\n",
           "0x5\r\nhello\r\n\r\n",
           "\r\n",
           ";\r\n",
           "5\r\nhelloX\r\n0\r\n\r\n",
           "5\r\nhello\n0\r\n\r\n",
           "ffffffffffffffffff\r\n",
           "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n",
           "0\r\nTrailer\r\n\r\n",
       }) {
    EXPECT_THAT(refusal(head + chunks), AnyOf(400U, 413U)) << chunks;
  }
  EXPECT_EQ(refusal(head + "5;" + std::string(30'000, 'x')), 431U);
}

TEST_F(HttpLimits, RefusesWhatIsNotHttp) {
  start();
  using namespace std::string_literals;
  for (const std::string& bytes : {
           "\x16\x03\x01\x02\x00\x01\x00\x01"s,
           "\0\0\0\0"s,
           " GET /hello HTTP/1.1\r\n\r\n"s,
           "GET /hello HTTP/1.1\n\n"s,
           "GET /hello HTTP/1.1\r\nHost: a\n\r\n"s,
           "GET\r\n\r\n"s,
           "GET /hello\r\n\r\n"s,
           "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n"s,
           "GET /hel\0lo HTTP/1.1\r\nHost: a\r\n\r\n"s,
           "GET /hel\x01lo HTTP/1.1\r\nHost: a\r\n\r\n"s,
           "GET hello HTTP/1.1\r\nHost: a\r\n\r\n"s,
           "GET /hello HTTP/1.1\r\nHost: a\r\nA\0B: c\r\n\r\n"s,
           "GET /hello HTTP/1.1\r\nHost: a\r\nA: b\0c\r\n\r\n"s,
           "GET /hello HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n"s,
           "GET /hello HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"s,
           "GET /hello HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n"s,
           "GET /hello HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n"s,
           "GET /hello HTTP/1.1\r\nHost: a\r\nA: b\r\n folded\r\n\r\n"s,
           "GET /hello HTTP/1.1\r\n Host: a\r\n\r\n"s,
           "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: ,=\r\n\r\n"s,
       }) {
    EXPECT_EQ(refusal(bytes), 400U) << ::testing::PrintToString(bytes);
  }
  EXPECT_THAT(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), AnyOf(400U, 505U));
  EXPECT_THAT(refusal("GET /hello HTTP/1.2\r\nHost: a\r\n\r\n"), AnyOf(400U, 505U));
  EXPECT_THAT(refusal("GET /hello HTTP/x\r\nHost: a\r\n\r\n"), AnyOf(400U, 505U));
}

TEST_F(HttpLimits, WantsOneHost) {
  start();
  EXPECT_EQ(refusal("GET /hello HTTP/1.1\r\n\r\n"), 400U);
  EXPECT_EQ(refusal("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400U);
  EXPECT_EQ(refusal("GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400U);
  EXPECT_EQ(refusal("GET /hello HTTP/1.1\r\nHost: a, b\r\n\r\n"), 400U);
  RawClient client(port());
  EXPECT_EQ(client.ask("GET /hello HTTP/1.1\r\nHost: [::1]:8848\r\n\r\n").status, 200U);
}

TEST_F(HttpLimits, OverlooksEmptyLinesBeforeARequest) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask("\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status, 200U);
  client.send_byte_by_byte("\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.answer().status, 200U);
}

TEST_F(HttpLimits, TellsASlowHeaderThatItsTimeIsUp) {
  options.limits.header_time = milliseconds(60);
  start();
  EXPECT_EQ(refusal("GET /hello HTTP/1.1\r\nHost: a\r\nX-Slow", true), 408U);
}

TEST_F(HttpLimits, BytesThatTrickleInDoNotProlongTheTime) {
  options.limits.header_time = milliseconds(100);
  options.limits.header = 64u << 20;  // how many bytes there are until the sweep is the machine's affair
  start();
  RawClient client(port());
  client.send("GET /hello HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  wait_until([&] {
    clock.advance(milliseconds(20));
    client.send("x");
    return client.has_more();
  });
  EXPECT_EQ(client.until("\r\n"), "HTTP/1.1 408 Request Timeout\r\n");
}

TEST_F(HttpLimits, ATimeLimitBeginsWithWhatItIsForAndNotWithTheLastSweep) {
  options.limits.idle_time = std::chrono::seconds(2000);
  options.limits.header_time = std::chrono::seconds(1000);
  options.limits.body_time = milliseconds(40);
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status, 200U);
  std::promise<void> release;
  asio::post(io, [&] { release.get_future().wait(); });  // something holds the thread up
  client.send("GET /hello HTTP/1.1\r\n");
  clock.advance(std::chrono::seconds(1100));
  release.set_value();
  pass(milliseconds(40));
  EXPECT_EQ(client.ask("Host: a\r\n\r\n").status, 200U);
}

TEST_F(HttpLimits, TellsASlowBodyThatItsTimeIsUp) {
  options.limits.body_time = milliseconds(60);
  start();
  EXPECT_EQ(refusal("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf", true), 408U);
}

TEST_F(HttpLimits, ClosesIdleConnectionsWithoutAWord) {
  options.limits.idle_time = milliseconds(60);
  start();
  RawClient never(port()), once(port());
  EXPECT_EQ(once.ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status, 200U);
  for (RawClient* client : {&never, &once}) {
    pass_time_until_answered(*client);
    EXPECT_TRUE(client->closed_without_more());
  }
}

TEST_F(HttpLimits, ClosesOnAClientThatDoesNotReceive) {
  options.limits.write_time = milliseconds(60);
  start();
  RawClient client(port());
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  wait_until([&] {
    clock.advance(milliseconds(20));
    return connections() == 0;
  });
  EXPECT_LT(client.rest().size(), 64u << 20);
}

TEST_F(HttpLimits, ALargeAnswerHasItsTimeForEachPart) {
  options.limits.write_time = milliseconds(160);
  options.limits.body_time = milliseconds(40);
  start();
  RawClient client(port());
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(client.bytes(4u << 20).size(), 4u << 20);
    connections();  // what became free in the kernel has been filled again
    pass(milliseconds(40));
  }
  EXPECT_EQ(client.ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "hello");
}

TEST_F(HttpLimits, BodiesInMemoryAreLimitedInAll) {
  options.limits.body = 1u << 20;
  usage.most_body_bytes = 100'000;
  start();
  const auto put = [](std::size_t size, std::size_t sent) {
    return fmt::format("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", size, std::string(sent, 'x'));
  };
  RawClient first(port());
  first.send(put(70'000, 60'000));
  wait_until([&] { return usage.body_bytes == 60'000; });
  RawClient second(port());
  const Answer refused = second.ask(put(20'000, 20'000));
  EXPECT_EQ(refused.status, 503U);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  RawClient small(port());
  EXPECT_EQ(small.ask(put(16'000, 16'000)).status, 200U) << "a part is for small ones";
  EXPECT_EQ(first.ask(std::string(10'000, 'x')).body, std::string(70'000, 'x')) << "who came first is unharmed";
  wait_until([&] { return usage.body_bytes == 0; });
  EXPECT_EQ(small.ask(put(50'000, 50'000)).status, 200U);
  wait_until([&] { return usage.body_bytes == 0; });
}

TEST_F(HttpLimits, ABodyThatIsBrokenOffIsNotCountedAnyMore) {
  start();
  {
    RawClient client(port());
    client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    wait_until([&] { return usage.body_bytes == 4; });
  }
  wait_until([&] { return usage.body_bytes == 0; });
}

TEST_F(HttpLimits, AsksBeforeItTakesMoreThanASmallBody) {
  options.limits.body = 1u << 20;
  std::atomic<int> asked = 0;
  options.admit = [&](const Request& request) -> Result<> {
    ++asked;
    if (request.header("Authorization") == "known") return {};
    return fail(Code::unauthenticated, "who are you?");
  };
  start();
  constexpr auto kSmall = Server::kSmallBody;
  const std::string head = "PUT /echo HTTP/1.1\r\nHost: a\r\n";
  const std::string chunks = "Transfer-Encoding: chunked\r\n\r\n";
  const std::string large(100'000, 'x');
  RawClient client(port());
  EXPECT_EQ(client.ask(fmt::format("{}Content-Length: {}\r\n\r\n{}", head, kSmall, std::string(kSmall, 'x'))).status,
            200U);
  EXPECT_EQ(client.ask(head + chunks + fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", kSmall, std::string(kSmall, 'x'))).status,
            200U);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(client.ask(head + "Authorization: known\r\nContent-Length: 100000\r\n\r\n" + large).body, large);
  EXPECT_EQ(client.ask(head + "Authorization: known\r\n" + chunks + "186a0\r\n" + large + "\r\n0\r\n\r\n").body, large);
  EXPECT_EQ(asked, 2) << "once for each request";

  EXPECT_EQ(refusal(head + "Content-Length: 16385\r\n\r\n"), 401U) << "before any of it came";
  EXPECT_EQ(refusal(head + "Expect: 100-continue\r\nContent-Length: 16385\r\n\r\n"), 401U);
  EXPECT_EQ(refusal(head + chunks + "186a0\r\n" + large), 401U);
}

TEST_F(HttpLimits, SurvivesClientsThatBreakOffAnywhere) {
  start();
  const std::string whole =
      "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
      "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    RawClient client(port());
    client.send(std::string_view(whole).substr(0, size));
    if (size % 2 == 0) client.reset();
  }
  {
    RawClient client(port());  // accepted after all the others
    EXPECT_EQ(client.ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status, 200U);
  }
  wait_for_connections(0);
}

}  // namespace
}  // namespace cc::http
