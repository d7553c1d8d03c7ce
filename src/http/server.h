// The HTTP/1.1 server of one I/O thread (Asio and Beast inside).
//
// One Server per I/O thread: its own listening socket (SO_REUSEPORT) and its own connections; no locks.
// Keep-alive, pipelining, chunked bodies, Expect: 100-continue, HEAD, gzip and zstd, TLS.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "http/exchange.h"
#include "http/router.h"
#include "http/usage.h"

namespace cc::http {

// No time is shorter than this; each may be longer by the time between two sweeps, half a second at most.
struct Limits {
  std::size_t header = 32u << 10;                 // request line (half of it, else 414) and fields; more is 431
  std::uint64_t body = 8u << 20;                  // more is 413
  std::chrono::milliseconds header_time{10'000};  // from the first byte of a request to the end of its header; else 408
  std::chrono::milliseconds body_time{30'000};    // to receive a body
  std::chrono::milliseconds write_time{30'000};   // to send a response or a piece of a stream; of large ones each MiB
  std::chrono::milliseconds idle_time{300'000};   // between requests, and before the first
};

// What TLS needs; reload() replaces certificate and key for new connections. Thread-safe.
class TlsContext {
 public:
  static Result<std::shared_ptr<TlsContext>> load(
      const std::string& certificate_file, const std::string& key_file,
      const std::string& client_ca_file = "");  // PEM; with a CA clients must show a certificate
  Result<> reload();
  std::optional<Wall> expires();  // until when the certificate is valid
  ~TlsContext();
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Called on the I/O thread after each response. `route` is "" when none matched; `took` is absent when the request
// waited by intent.
using OnAnswered = std::function<void(std::string_view route, Method method, unsigned status,
                                      std::optional<std::chrono::nanoseconds> took)>;

class Server {
 public:
  static constexpr std::uint64_t kSmallBody = 16u << 10;

  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8848;                      // 0: any free one, see port()
    std::string_view port_setting = "server.port";  // what a person would change
    Limits limits;
    bool compress = true;
    std::shared_ptr<TlsContext> tls;  // null: plain
    // Asked before more than kSmallBody of a request's body is received: an Error refuses it, unseen by its handler.
    std::function<Result<>(const Request&)> admit;
    OnAnswered on_answered;
  };
  // Opens the listening socket; unavailable when the port is taken. `router`, `usage` and `clock` outlive the server.
  static Result<std::unique_ptr<Server>> listen(asio::io_context& context, Options options, const Router& router,
                                                Usage& usage, const Clock& clock);
  ~Server();  // requires: stopped, or the io_context no longer runs

  std::uint16_t port() const;
  // Requests are routed by `router` from now on; it outlives the server, as the one before does. On the I/O thread or
  // before it runs.
  void use(const Router& router);
  void start();  // begins to accept; on the I/O thread or before it runs

  // On the I/O thread. From now on each answer is the last of its connection, and says so; the rest goes on. For a
  // server that will stop: clients look for another one without losing a request.
  void close_after_answers();

  // On the I/O thread. Stops accepting, closes idle connections, lets running requests finish (they answer
  // with Connection: close) until `deadline`, then closes the rest. Watchers are answered by their service.
  Task<> stop(Mono deadline);

  std::size_t connections() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::http
