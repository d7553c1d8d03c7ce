// How requests, streams and the server itself end.
#include <atomic>

#include <boost/asio/redirect_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server_test_base.h"

namespace cc::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kGetHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kGetWait = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kGetStream = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";

// Counts what waits, and lets tests wait for a count.
struct Waiting {
  std::atomic<int> now{0};

  struct Guard {
    explicit Guard(Waiting& waiting_) : waiting(waiting_) { ++waiting.now; }
    ~Guard() { --waiting.now; }
    Waiting& waiting;
  };
  void until(int wanted) {
    const auto limit = std::chrono::steady_clock::now() + seconds(20);
    while (now != wanted && std::chrono::steady_clock::now() < limit)
      std::this_thread::yield();
    EXPECT_EQ(now, wanted);
  }
};

struct HttpStopping : ServerTest {
  HttpStopping() {
    options.limits.idle_time = milliseconds(60'000);
    options.limits.write_time = milliseconds(2'000);
    add(Method::get, "/hello", [](Request&) { return Response::text(200, "hello"); });
    // As a long poll: until wake() or cancellation.
    router.add(Method::get, "/wait", [this](Request& request) -> Task<Response> {
      request.begin_to_wait();
      const Waiting::Guard guard(waiting);
      boost::system::error_code error;
      co_await gate.async_wait(asio::redirect_error(asio::use_awaitable, error));
      co_return Response::text(200, "waited");
    });
    router.add(Method::get, "/stream", [this](Request&) -> Task<Response> {
      co_return Response(200)
          .header("Content-Type", "text/event-stream")
          .stream([this](StreamWriter& writer) -> Task<> {
            const Waiting::Guard guard(waiting);
            for (int i = 0; i < 3; ++i) {
              if (!co_await writer.write("event " + std::to_string(i) + "\n")) co_return;
            }
            co_await writer.write("");
            boost::system::error_code error;
            co_await gate.async_wait(asio::redirect_error(asio::use_awaitable, error));
            const auto last = co_await writer.write("last\n");
            last_write = last ? "written" : last.error().message;
          });
    });
  }

  void wake() {
    asio::post(io, [this] { gate.cancel(); });
  }
  // Repeats until `client` has something to read.
  void wake_until_answered(RawClient& client) {
    pollfd readable{.fd = client.socket(), .events = POLLIN, .revents = 0};
    do {
      wake();
    } while (::poll(&readable, 1, 1) == 0);
  }

  Waiting waiting;
  asio::steady_timer gate{io, asio::steady_timer::time_point::max()};
  std::string last_write;
};

TEST_F(HttpStopping, ClosesIdleConnectionsAtOnce) {
  start();
  RawClient never(port()), once(port());
  EXPECT_EQ(once.ask(kGetHello).status, 200U);
  wait_for_connections(2);
  stop(seconds(1000));
  EXPECT_TRUE(never.closed_without_more());
  EXPECT_TRUE(once.closed_without_more());
}

TEST_F(HttpStopping, AcceptsNothingMore) {
  start();
  const auto old_port = port();
  stop(seconds(1000));
  EXPECT_FALSE(RawClient(old_port).connected());
}

TEST_F(HttpStopping, LetsRequestsFinishAndSaysThatTheConnectionCloses) {
  start();
  RawClient client(port());
  client.send(kGetWait);
  waiting.until(1);
  auto stopping = begin_to_stop(seconds(1000));
  stopped = true;
  EXPECT_EQ(stopping.wait_for(milliseconds(20)), std::future_status::timeout);
  wake();
  const Answer answer = client.answer();
  EXPECT_EQ(answer.body, "waited");
  EXPECT_EQ(answer.header("Connection"), "close");
  stopping.get();
}

TEST_F(HttpStopping, BeforeItStopsItServesOnAndEachAnswerIsTheLastOfItsConnection) {
  start();
  RawClient old(port()), waits(port());
  EXPECT_EQ(old.ask(kGetHello).header("Connection"), "");
  waits.send(kGetWait);
  waiting.until(1);
  std::promise<void> done;
  asio::post(io, [&] {
    server->close_after_answers();
    done.set_value();
  });
  done.get_future().get();
  RawClient late(port());
  for (RawClient* client : {&old, &late}) {
    const Answer answer = client->ask(kGetHello);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_TRUE(client->closed_without_more());
  }
  wake();
  const Answer answer = waits.answer();
  EXPECT_EQ(answer.body, "waited");
  EXPECT_EQ(answer.header("Connection"), "close");
}

TEST_F(HttpStopping, BreaksOffWhatDoesNotFinishInTime) {
  start();
  RawClient client(port()), half(port());
  client.send(kGetWait);
  half.send("GET /hello HTTP/1.1\r\n");
  waiting.until(1);
  wait_for_connections(2);
  auto stopping = begin_to_stop(milliseconds(20));
  stopped = true;
  clock.advance(milliseconds(20));
  stopping.get();
  EXPECT_TRUE(client.closed_without_more());
  EXPECT_TRUE(half.closed_without_more());
  EXPECT_EQ(waiting.now, 0);
  EXPECT_EQ(usage.connections, 0U);
}

TEST_F(HttpStopping, ForgetsARequestWhoseClientLeft) {
  options.limits.body_time = milliseconds(40);  // sweeps each 10 ms
  start();
  RawClient closed(port()), reset(port()), stays(port());
  for (RawClient* client : {&closed, &reset, &stays})
    client->send(kGetWait);
  waiting.until(3);
  closed.close();
  reset.reset();
  waiting.until(1);
  wait_for_connections(1);
  wake();
  EXPECT_EQ(stays.answer().body, "waited");
}

TEST_F(HttpStopping, BytesOfTheNextRequestAreNoSignOfAClientThatLeft) {
  options.limits.body_time = milliseconds(40);
  start();
  RawClient client(port()), other(port());
  client.send(kGetWait);
  waiting.until(1);
  client.send(kGetHello);
  other.send(kGetWait);
  waiting.until(2);
  other.close();
  waiting.until(1);  // the sweep that noticed this has looked at both
  wake();
  EXPECT_EQ(client.answer().body, "waited");
  EXPECT_EQ(client.answer().body, "hello");
}

TEST_F(HttpStopping, StreamsInChunksAndKeepsTheConnection) {
  start();
  RawClient client(port());
  client.send(kGetStream);
  const std::string head = client.until("\r\n\r\n");
  EXPECT_THAT(head, ::testing::HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(head, ::testing::Not(::testing::HasSubstr("Content-Length")));
  EXPECT_EQ(client.bytes(3 * 13), "8\r\nevent 0\n\r\n8\r\nevent 1\n\r\n8\r\nevent 2\n\r\n");
  wake_until_answered(client);
  EXPECT_EQ(client.bytes(15), "5\r\nlast\n\r\n0\r\n\r\n");
  EXPECT_EQ(client.ask(kGetHello).body, "hello");
  EXPECT_EQ(last_write, "written");
}

TEST_F(HttpStopping, StreamsToHttp10UntilItCloses) {
  start();
  RawClient client(port());
  client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.until("\r\n\r\n"), ::testing::HasSubstr("Connection: close"));
  EXPECT_EQ(client.bytes(24), "event 0\nevent 1\nevent 2\n");
  wake_until_answered(client);
  EXPECT_EQ(client.rest(), "last\n");
}

TEST_F(HttpStopping, AnswersHeadOfAStreamWithoutStreaming) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.ask("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n", true).header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(client.ask(kGetHello).body, "hello");
}

TEST_F(HttpStopping, EndsAStreamWhoseClientLeft) {
  options.limits.body_time = milliseconds(40);
  start();
  {
    RawClient client(port());
    client.send(kGetStream);
    client.until("event 2\n\r\n");
  }
  waiting.until(0);
  wait_for_connections(0);
}

TEST_F(HttpStopping, AStreamSeesThatTheServerStops) {
  start();
  RawClient client(port());
  client.send(kGetStream);
  client.until("event 2\n\r\n");
  auto stopping = begin_to_stop(seconds(1000));
  stopped = true;
  pollfd readable{.fd = client.socket(), .events = POLLIN, .revents = 0};
  while (stopping.wait_for(milliseconds(1)) == std::future_status::timeout && ::poll(&readable, 1, 0) == 0)
    wake();
  EXPECT_EQ(client.rest(), "0\r\n\r\n");
  stopping.get();
  EXPECT_EQ(last_write, "the server is stopping");
}

TEST_F(HttpStopping, WaitsForNoRestOfARequestBehindAStream) {
  start();
  RawClient client(port());
  client.send(std::string(kGetStream) + "GET /hel");
  client.until("event 2\n\r\n");
  auto stopping = begin_to_stop(seconds(1000));
  stopped = true;
  wait_until([&] {
    wake();
    return stopping.wait_for(milliseconds(1)) == std::future_status::ready;
  });
  EXPECT_EQ(client.rest(), "0\r\n\r\n");
}

TEST_F(HttpStopping, AStreamEndsWithAClientThatDoesNotReceive) {
  options.limits.write_time = milliseconds(60);
  std::atomic<bool> timed_out = false;
  router.add(Method::get, "/flood", [&](Request&) -> Task<Response> {
    co_return Response(200).stream([&](StreamWriter& writer) -> Task<> {
      for (;;) {
        if (const auto written = co_await writer.write(std::string(1u << 20, 'x')); !written) {
          timed_out = written.error().code == Code::timeout;
          co_return;
        }
      }
    });
  });
  start();
  RawClient client(port());
  client.send("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  wait_until([&] {
    clock.advance(milliseconds(20));
    return connections() == 0;
  });
  EXPECT_TRUE(timed_out);
}

TEST_F(HttpStopping, AStreamThatThrowsEndsWithoutTheLastChunk) {
  router.add(Method::get, "/broken", [](Request&) -> Task<Response> {
    co_return Response(200).stream([](StreamWriter& writer) -> Task<> {
      co_await writer.write("some");
      throw std::runtime_error("as the test wants");
    });
  });
  start();
  RawClient client(port());
  client.send("GET /broken HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  EXPECT_EQ(client.rest(), "4\r\nsome\r\n");
}

}  // namespace
}  // namespace cc::http
