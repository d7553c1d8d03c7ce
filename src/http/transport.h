// The bytes of one connection, plain or TLS, without waiting: each call does what can be done now and says what it
// would wait for.
#pragma once

#include <memory>
#include <string_view>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "http/server.h"

struct ssl_st;

namespace cc::http {

using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

class Transport {
 public:
  enum class Status { done, want_read, want_write, closed };
  struct Progress {
    Status status = Status::done;
    std::size_t bytes = 0;  // moved; may be more than 0 with any status
  };

  Transport(Socket socket, TlsContext* tls);  // null: plain
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  Progress handshake();                       // done at once when plain
  Progress read(char* to, std::size_t size);  // done: at least one byte
  Progress write(std::string_view first, std::string_view second);
  void shut_down() noexcept;  // nothing more will be sent
  void close() noexcept;

  bool encrypted() const { return ssl_ != nullptr; }
  Socket& socket() { return socket_; }

 private:
  struct FreeSession {
    void operator()(ssl_st* session) const noexcept;
  };
  Progress encrypted_write(std::string_view bytes);
  Status want(int result) const;

  Socket socket_;
  std::unique_ptr<ssl_st, FreeSession> ssl_;
};

}  // namespace cc::http
