#include "playground/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::playground {
namespace {

constexpr timeval kPatience{.tv_sec = 0, .tv_usec = 500'000};

// A connection to a port of this machine.
class Connection {
 public:
  explicit Connection(Port port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    open_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() {
    if (fd_ >= 0) ::close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_open() const { return open_; }
  bool send(std::string_view text) const {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  std::string receive() const {
    std::array<char, 64> buffer{};
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_WAITALL);
    return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : "";
  }

 private:
  int fd_;
  bool open_ = false;
};

struct Asks {
  pid_t process;

  bool operator()(const Listens& one) const { return Connection(one.port).is_open(); }
  bool operator()(const Answers& one) const {
    const Connection connection(one.port);
    if (!connection.is_open() || !connection.send(fmt::format("GET {} HTTP/1.0\r\nHost: localhost\r\n\r\n", one.path)))
      return false;
    const std::string answer = connection.receive();
    return answer.starts_with("HTTP/") && answer.substr(0, 13).ends_with(" 200 ");
  }
  bool operator()(const SaysReady& one) const {
    const auto text = read_file(one.file);
    if (!text) return false;
    const auto lines = split(*text, '\n');
    // A file that an earlier process left behind says nothing of this one.
    return lines.size() > 7 && trim(lines[0]) == std::to_string(process) && trim(lines[7]) == "ready";
  }
};

}  // namespace

bool is_ready(const Readiness& readiness, pid_t process) {
  return std::visit(Asks{process}, readiness);
}

}  // namespace cc::playground
