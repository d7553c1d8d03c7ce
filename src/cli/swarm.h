// Many connections to one server on one thread (epoll), for the benches: sends prepared bytes, sees answers. Plain
// HTTP only. Not thread-safe; one Swarm per thread.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/reply_reader.h"

namespace cc::cli {

// Where a server is, resolved.
struct Endpoint {
  sockaddr_storage address{};
  socklen_t length = 0;
  std::string host;  // for the Host header: "127.0.0.1:8848"

  // Wrong usage for https; unavailable when the name does not resolve.
  static Result<Endpoint> of_url(std::string_view url);
};

// Raises the limit on open files so that all threads of a bench together may have so many connections. exhausted, with
// what to do, when the system does not allow it.
Result<> allow_connections(std::size_t all);

class Swarm {
 public:
  // unavailable when a connection is refused, with what to do, or when a held signal came.
  static Result<std::unique_ptr<Swarm>> open(const Endpoint& endpoint, std::size_t connections);
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  std::size_t size() const { return connections_.size(); }
  void send(std::size_t connection, std::string_view bytes);

  using OnReply = std::function<void(std::size_t connection, unsigned status)>;
  using OnLost = std::function<void(std::size_t connection)>;
  // Waits at most `most` for something to happen and handles it. A lost connection is opened again before
  // `on_lost`; what was sent on it and not answered is gone. unavailable when it cannot be opened again.
  Result<> poll(std::chrono::milliseconds most, const OnReply& on_reply, const OnLost& on_lost);

 private:
  struct Connection {
    int fd = -1;
    ReplyReader reader;
    std::string out;  // not sent yet
    bool waits_to_write = false;
  };

  Swarm(const Endpoint& endpoint, int epoll) : endpoint_(endpoint), epoll_(epoll) {}
  Result<> connect(std::size_t at);
  void close(std::size_t at);
  bool flush(std::size_t at);                             // false: lost
  bool receive(std::size_t at, const OnReply& on_reply);  // false: lost

  Endpoint endpoint_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
};

}  // namespace cc::cli
