#include "cli/swarm.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <netdb.h>

#include "cli/credentials.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/terminal.h"

namespace cc::cli {
namespace {

constexpr std::size_t kSpareFiles = 64;

}  // namespace

Result<> allow_connections(std::size_t all) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = all + kSpareFiles;
  if (limit.rlim_cur >= wanted) return {};
  if (limit.rlim_max < wanted) {
    return fail(Code::exhausted,
                fmt::format("{} connections need as many open files, and this process may have {}; raise it with: "
                            "ulimit -Hn {}",
                            all, limit.rlim_max, wanted));
  }
  limit.rlim_cur = wanted;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return {};
}

Result<Endpoint> Endpoint::of_url(std::string_view url) {
  auto normal = normal_url(url);
  if (!normal) return wrong_usage(std::move(normal).error());
  if (normal->starts_with("https")) {
    return wrong_usage("a bench speaks plain HTTP, since it would measure its own TLS; give an http:// address");
  }
  Endpoint endpoint;
  endpoint.host = normal->substr(std::string_view("http://").size());
  endpoint.host = endpoint.host.substr(0, endpoint.host.find('/'));
  std::string name = endpoint.host, port = "80";
  const std::size_t colon = name.rfind(':');
  if (colon != std::string::npos && name.find(']', colon) == std::string::npos) {
    port = name.substr(colon + 1);
    name.resize(colon);
  }
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), port.c_str(), &hints, &found); error != 0) {
    return fail(Code::unavailable, fmt::format("{}: {}", endpoint.host, ::gai_strerror(error)));
  }
  std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
              reinterpret_cast<char*>(&endpoint.address));
  endpoint.length = found->ai_addrlen;
  ::freeaddrinfo(found);
  return endpoint;
}

Result<std::unique_ptr<Swarm>> Swarm::open(const Endpoint& endpoint, std::size_t connections) {
  std::unique_ptr<Swarm> swarm(new Swarm(endpoint, ::epoll_create1(EPOLL_CLOEXEC)));
  swarm->connections_.resize(connections);
  Progress progress("connecting", connections);
  for (std::size_t i = 0; i < connections; ++i) {
    if (HeldSignals::noted() != 0) return fail(Code::unavailable, "interrupted");
    TRYV(swarm->connect(i));
    progress.advance();
  }
  return swarm;
}

Swarm::~Swarm() {
  for (std::size_t i = 0; i < connections_.size(); ++i)
    close(i);
  ::close(epoll_);
}

Result<> Swarm::connect(std::size_t at) {
  const int fd = ::socket(endpoint_.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto failed = [&] {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    const std::string_view advice =
        error == ECONNREFUSED    ? "; start a server with: config-center serve, or choose another with --server"
        : error == EADDRNOTAVAIL ? "; this machine has no more ports for one destination, so ask for fewer connections"
                                 : "";
    return fail(Code::unavailable, fmt::format("connection {} to {}: {}{}", at + 1, endpoint_.host,
                                               std::system_category().message(error), advice));
  };
  if (fd < 0) return failed();
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&endpoint_.address), endpoint_.length) != 0) return failed();
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = at}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return failed();
  connections_[at] = Connection{.fd = fd, .reader = {}, .out = {}};
  return {};
}

void Swarm::close(std::size_t at) {
  if (connections_[at].fd >= 0) ::close(connections_[at].fd);
  connections_[at].fd = -1;
}

void Swarm::send(std::size_t at, std::string_view bytes) {
  Connection& connection = connections_[at];
  if (connection.out.empty()) {
    const ssize_t sent = ::send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (bytes.empty()) return;
    // An error shows again when the socket is polled.
  }
  connection.out += bytes;
  if (connection.waits_to_write) return;
  connection.waits_to_write = true;
  epoll_event event{.events = EPOLLIN | EPOLLOUT, .data = {.u64 = at}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

bool Swarm::flush(std::size_t at) {
  Connection& connection = connections_[at];
  while (!connection.out.empty()) {
    const ssize_t sent = ::send(connection.fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    connection.out.erase(0, static_cast<std::size_t>(sent));
  }
  connection.waits_to_write = false;
  epoll_event event{.events = EPOLLIN, .data = {.u64 = at}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  return true;
}

bool Swarm::receive(std::size_t at, const OnReply& on_reply) {
  const ssize_t count = ::recv(connections_[at].fd, buffer_.data(), buffer_.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  return connections_[at].reader.feed({buffer_.data(), static_cast<std::size_t>(count)},
                                      [&](unsigned status) { on_reply(at, status); });
}

Result<> Swarm::poll(std::chrono::milliseconds most, const OnReply& on_reply, const OnLost& on_lost) {
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(epoll_, events.data(), events.size(), static_cast<int>(most.count()));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    const std::size_t at = event.data.u64;
    bool alive = true;
    if ((event.events & EPOLLOUT) != 0) alive = flush(at);
    if (alive && (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) alive = receive(at, on_reply);
    if (alive) continue;
    close(at);
    TRYV(connect(at));
    on_lost(at);
  }
  return {};
}

}  // namespace cc::cli
