// What the tests of the server share: a server on a thread of its own, and a client that sends any bytes.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "http/router.h"
#include "http/server.h"

namespace cc::http {

struct Answer {
  unsigned status = 0;
  std::string head, body;

  std::string header(const std::string& name) const {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const auto start = at + name.size() + 4;
    return head.substr(start, head.find("\r\n", start) - start);
  }
  bool has(const std::string& name) const { return head.contains("\r\n" + name + ": "); }
};

// Fails the test rather than wait for ever.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  int socket() const { return socket_; }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }
  void send_byte_by_byte(std::string_view bytes) {
    for (const char c : bytes)
      send({&c, 1});
  }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  void reset() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }

  // More bytes into the buffer; false when the server closed.
  bool receive() {
    char buffer[65536];
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      ADD_FAILURE() << "the server neither answered nor closed; received so far: " << received_;
    }
    if (got <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  std::string until(std::string_view end) {
    for (;;) {
      if (const auto at = received_.find(end); at != std::string::npos) return take(at + end.size());
      if (!receive()) return take(received_.size());
    }
  }
  std::string bytes(std::size_t count) {
    while (received_.size() < count && receive()) {
    }
    return take(std::min(count, received_.size()));
  }
  // Everything until the server closes.
  std::string rest() {
    while (receive()) {
    }
    return take(received_.size());
  }
  bool closed_without_more() { return rest().empty(); }
  // Whether bytes, or the end, are there to be received now.
  bool has_more() const {
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    return ::poll(&readable, 1, 0) != 0;
  }

  // One answer. `head_only` after HEAD.
  Answer answer(bool head_only = false) {
    Answer answer;
    answer.head = until("\r\n\r\n");
    if (!answer.head.starts_with("HTTP/1.1 ") || answer.head.size() < 12) return answer;
    answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
    if (head_only) return answer;
    if (answer.header("Transfer-Encoding") == "chunked") {
      for (;;) {
        const std::string line = until("\r\n");
        if (line.size() < 3) return answer;
        const auto size = std::stoul(line, nullptr, 16);
        answer.body += bytes(size);
        if (until("\r\n") != "\r\n" || size == 0) return answer;
      }
    }
    if (answer.has("Content-Length")) answer.body = bytes(std::stoul(answer.header("Content-Length")));
    return answer;
  }
  Answer ask(std::string_view request, bool head_only = false) {
    send(request);
    return answer(head_only);
  }

 private:
  std::string take(std::size_t count) {
    std::string out = received_.substr(0, count);
    received_.erase(0, count);
    return out;
  }

  int socket_;
  bool connected_ = false;
  std::string received_;
};

struct ServerTest : ::testing::Test {
  ServerTest() { options.port = 0; }
  ~ServerTest() override {
    clock.advance(std::chrono::hours(24));  // for a stop that a failing test began
    stop(std::chrono::seconds(0));
    work.reset();
    if (thread.joinable()) thread.join();
  }

  void start() {
    auto listening = Server::listen(io, options, router, usage, clock);
    ASSERT_TRUE(listening) << listening.error().message;
    server = std::move(*listening);
    server->start();
    thread = std::thread([this] { io.run(); });
  }
  std::future<void> begin_to_stop(std::chrono::milliseconds patience) {
    return asio::co_spawn(io, server->stop(clock.now() + patience), asio::use_future);
  }
  void stop(std::chrono::milliseconds patience) {
    if (!server || stopped) return;
    stopped = true;
    begin_to_stop(patience).get();
  }
  std::uint16_t port() const { return server->port(); }
  // On the I/O thread.
  std::size_t connections() {
    return asio::co_spawn(
               io, [this]() -> Task<std::size_t> { co_return server->connections(); }, asio::use_future)
        .get();
  }
  void wait_for_connections(std::size_t wanted) {
    wait_until([&] { return connections() == wanted; });
  }
  // Lets time pass, and returns when a sweep has looked at all connections since. requires: body_time <= `time`
  void pass(std::chrono::milliseconds time) {
    RawClient probe(port());
    const auto before = usage.body_bytes.load();
    probe.send("PUT /probe HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
    wait_until([&] { return usage.body_bytes > before; });
    clock.advance(time);
    EXPECT_EQ(probe.answer().status, 408U);
  }
  // Lets time pass until the server sends `client` something, or closes.
  void pass_time_until_answered(RawClient& client) {
    wait_until([&] {
      clock.advance(std::chrono::milliseconds(20));
      return client.has_more();
    });
  }
  // Fails the test rather than wait for ever.
  template <class Condition>
  void wait_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("what the test waits for does not come");
      std::this_thread::yield();
    }
  }
  void add(Method method, std::string pattern, std::function<Response(Request&)> answer) {
    router.add(method, std::move(pattern),
               [answer = std::move(answer)](Request& request) -> Task<Response> { co_return answer(request); });
  }

  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{io.get_executor()};
  ManualClock clock;  // stands still until a test moves it: however slow the machine is, no time limit is met by chance
  Router router;
  Usage usage;
  Server::Options options;
  std::unique_ptr<Server> server;
  std::thread thread;
  bool stopped = false;
};

}  // namespace cc::http
