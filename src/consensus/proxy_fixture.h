// Somebody between two nodes: passes on what each sends, remembers it, changes it, and stops when he likes.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include "base/host_port.h"
#include "consensus/handshake.h"

namespace cc::consensus {

// A plain connection to a node, of somebody who is none.
class Intruder {
 public:
  using tcp = boost::asio::ip::tcp;
  explicit Intruder(const std::string& address) {
    const auto at = parse_host_and_port(address).value();
    boost::system::error_code error;
    socket_.connect({boost::asio::ip::make_address(at.host), at.port}, error);
    EXPECT_FALSE(error) << error.message();
  }
  void say(std::string_view bytes) { ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Everything until the node closes the connection.
  std::string hear() {
    std::string all;
    for (;;) {
      char piece[4096];
      const ssize_t got = ::recv(socket_.native_handle(), piece, sizeof piece, 0);
      if (got <= 0) return all;
      all.append(piece, static_cast<std::size_t>(got));
    }
  }
  std::string hear(std::size_t size) {
    std::string bytes(size, '\0');
    const ssize_t got = ::recv(socket_.native_handle(), bytes.data(), size, MSG_WAITALL);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

 private:
  boost::asio::io_context io_;
  tcp::socket socket_{io_};
};

class Proxy {
 public:
  using tcp = boost::asio::ip::tcp;
  // Sees what comes from the dialer (or goes to him), changes it as he likes; false: ends the connection after it.
  using Look = std::function<bool(bool from_dialer, std::string& bytes)>;

  Proxy(std::string listen, std::string to, Look look = {}) : to_(std::move(to)), look_(std::move(look)) {
    const auto at = parse_host_and_port(listen).value();
    const tcp::endpoint endpoint(boost::asio::ip::make_address(at.host), at.port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
    accepting_ = std::jthread([this](std::stop_token stop) {
      std::list<std::jthread> threads;
      while (!stop.stop_requested()) {
        pollfd waiting{.fd = acceptor_.native_handle(), .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, 10) <= 0) continue;
        auto dialer = std::make_shared<tcp::socket>(acceptor_.accept());
        threads.emplace_back([this, dialer](std::stop_token stop_one) { pass(*dialer, stop_one); });
      }
    });
  }

  std::atomic<bool> silent = false;  // passes nothing on, and takes nothing
  std::atomic<int> connections = 0;

 private:
  void pass(tcp::socket& dialer, std::stop_token stop) {
    ++connections;
    const auto at = parse_host_and_port(to_).value();
    boost::asio::io_context io;
    tcp::socket node(io);
    boost::system::error_code error;
    node.connect({boost::asio::ip::make_address(at.host), at.port}, error);
    while (!error && !stop.stop_requested()) {
      pollfd both[2] = {{.fd = dialer.native_handle(), .events = POLLIN, .revents = 0},
                        {.fd = node.native_handle(), .events = POLLIN, .revents = 0}};
      if (silent) {
        ::poll(nullptr, 0, 5);
        continue;
      }
      if (::poll(both, 2, 5) <= 0 || silent) continue;
      for (const bool from_dialer : {true, false}) {
        if (both[from_dialer ? 0 : 1].revents == 0) continue;
        char piece[16384];
        const ssize_t got = ::recv(both[from_dialer ? 0 : 1].fd, piece, sizeof piece, 0);
        if (got <= 0) return;
        std::string bytes(piece, static_cast<std::size_t>(got));
        const bool go_on = !look_ || look_(from_dialer, bytes);
        const int other = both[from_dialer ? 1 : 0].fd;
        for (std::string_view rest = bytes; !rest.empty();) {
          const ssize_t put = ::send(other, rest.data(), rest.size(), MSG_NOSIGNAL);
          if (put <= 0) return;
          rest.remove_prefix(static_cast<std::size_t>(put));
        }
        if (!go_on) return;
      }
    }
  }

  const std::string to_;
  const Look look_;
  boost::asio::io_context io_;
  tcp::acceptor acceptor_{io_};
  std::jthread accepting_;
};

}  // namespace cc::consensus
