// The connections of one I/O thread: what they share, their time limits, and how they end.
//
// A connection has no timer of its own. One sweep each half second at most looks at all of them: it ends those whose
// time is up, and notices clients that left while their request was waiting.
#pragma once

#include <array>
#include <exception>
#include <list>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "base/clock.h"
#include "http/compress.h"
#include "http/connection.h"
#include "http/server.h"
#include "http/transport.h"

namespace cc::http {

class Connections {
 public:
  static constexpr std::size_t kReadSize = 16u << 10;

  Connections(asio::io_context& context, Server::Options options, const Router& router, Usage& usage,
              const Clock& clock);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // Serves a connection that was accepted, or answers 503 when there are too many.
  void add(Socket socket, std::string remote_address);

  Task<> sweep_for_ever();  // until it is cancelled
  void use(const Router& router) { router_ = &router; }
  // As those of Server, for the connections.
  void close_after_answers() { last_answers_ = true; }
  Task<> stop(Mono deadline);
  std::size_t size() const { return connections_.size(); }

  // What connections use.
  const Server::Options& options() const { return options_; }
  const Limits& limits() const { return options_.limits; }
  const Router& router() const { return *router_; }
  bool stopping() const { return stopping_; }
  bool last_answers() const { return last_answers_ || stopping_; }
  std::string_view date() const { return date_; }
  std::string next_request_id();
  Mono now() const { return clock_.now(); }
  Usage& usage() { return usage_; }
  // For one read or one head at a time; nothing is kept in them while a connection waits.
  std::array<char, kReadSize>& read_buffer() { return read_buffer_; }
  std::string& head_buffer() { return head_buffer_; }
  Encodings& encodings() { return encodings_; }

 private:
  // Called when a connection's coroutine has ended. Asio takes less memory for it than for a lambda that
  // bind_cancellation_slot() wraps.
  struct Ended {
    using cancellation_slot_type = asio::cancellation_slot;
    cancellation_slot_type get_cancellation_slot() const noexcept { return connection->signal().slot(); }
    void operator()(const std::exception_ptr& exception) const;

    Connections& all;
    std::list<Connection>::iterator connection;
  };

  void remove(std::list<Connection>::iterator connection);
  Task<> until_empty(Mono deadline);
  void tick();
  void notice_clients_that_left();

  asio::io_context& context_;
  Server::Options options_;
  const Router* router_;
  Usage& usage_;
  const Clock& clock_;
  const std::chrono::milliseconds period_;
  std::list<Connection> connections_;
  asio::steady_timer ended_;  // cancelled when a connection ends while stop() waits
  std::size_t refused_ = 0;   // connections over the limit that are still being told so
  std::string id_prefix_;
  std::uint64_t id_count_ = 0;
  bool last_answers_ = false, stopping_ = false;
  Encodings encodings_;
  std::string date_, head_buffer_;
  std::array<char, kReadSize> read_buffer_;
};

}  // namespace cc::http
