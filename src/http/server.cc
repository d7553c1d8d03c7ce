#include "http/server.h"

#include <sys/socket.h>

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "http/connections.h"

namespace cc::http {
namespace {

using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;

const Logger kLog{"http"};

constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::seconds kAcceptComplaint{10};

std::string text_of(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

Result<tcp::endpoint> endpoint_of(asio::io_context& context, const std::string& host, std::uint16_t port) {
  boost::system::error_code error;
  if (const auto address = asio::ip::make_address(host, error); !error) return tcp::endpoint(address, port);
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error || found.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("cannot listen on host \"{}\": {}; server.host must be an address of this machine", host,
                            error.message()));
  }
  return found.begin()->endpoint();
}

// SO_REUSEPORT lets the I/O threads of this process share a port, but would also let a second process take half of the
// first one's connections unnoticed. So a port that this process does not listen on yet must be free.
class PortsInUse {
 public:
  bool add(const tcp::endpoint& endpoint, boost::system::error_code& error) {
    const std::lock_guard lock(mutex_);
    if (endpoint.port() != 0 && !ports_.contains(endpoint)) {
      asio::io_context none;
      tcp::acceptor probe(none);
      probe.open(endpoint.protocol(), error);
      if (!error) probe.set_option(tcp::acceptor::reuse_address(true), error);
      if (!error) probe.bind(endpoint, error);
      if (error) return false;
    }
    return true;
  }
  void took(const tcp::endpoint& endpoint) {
    const std::lock_guard lock(mutex_);
    ++ports_[endpoint];
  }
  void left(const tcp::endpoint& endpoint) {
    const std::lock_guard lock(mutex_);
    if (--ports_[endpoint] == 0) ports_.erase(endpoint);
  }

 private:
  std::mutex mutex_;
  std::map<tcp::endpoint, int> ports_;
};

PortsInUse& ports_in_use() {
  static PortsInUse ports;
  return ports;
}

}  // namespace

struct Server::Impl {
  Impl(asio::io_context& context, Options options, const Router& router, Usage& usage, const Clock& clock_)
      : io(context),
        clock(clock_),
        acceptor(context),
        tasks(context.get_executor()),
        connections(context, std::move(options), router, usage, clock_) {}
  ~Impl() { leave_port(); }

  Result<> open(const tcp::endpoint& wanted, std::string_view port_setting);
  Task<> accept();
  void leave_port() {
    if (endpoint) ports_in_use().left(*endpoint);
    endpoint.reset();
  }

  asio::io_context& io;
  const Clock& clock;
  Acceptor acceptor;
  TaskGroup tasks;
  Connections connections;
  std::optional<tcp::endpoint> endpoint;  // while it listens
  std::uint16_t port = 0;
};

Result<> Server::Impl::open(const tcp::endpoint& wanted, std::string_view port_setting) {
  boost::system::error_code error;
  const auto refused = [&] {
    const std::string advice =
        error == asio::error::address_in_use
            ? fmt::format("is another server running there? Choose another {}", port_setting)
        : error == boost::system::errc::address_not_available ? "server.host must be an address of this machine"
        : error == asio::error::access_denied
            ? fmt::format("low ports need the capability CAP_NET_BIND_SERVICE; give it, or choose another {}",
                          port_setting)
            : fmt::format("correct server.host or {}", port_setting);
    return fail(Code::unavailable, fmt::format("cannot listen on {}:{}: {}; {}", wanted.address().to_string(),
                                               wanted.port(), error.message(), advice));
  };
  if (!ports_in_use().add(wanted, error)) return refused();
  acceptor.open(wanted.protocol(), error);
  if (error) return refused();
  const int on = 1;
  const int socket = acceptor.native_handle();
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  acceptor.set_option(tcp::no_delay(true), error);  // accepted sockets inherit it
  acceptor.bind(wanted, error);
  if (error) return refused();
  acceptor.listen(4096, error);
  if (error) return refused();
  endpoint = acceptor.local_endpoint(error);
  if (error) return refused();
  port = endpoint->port();
  ports_in_use().took(*endpoint);
  return {};
}

Task<> Server::Impl::accept() {
  Mono complained{};
  while (acceptor.is_open()) {
    Socket socket(io);
    tcp::endpoint peer;
    boost::system::error_code error;
    co_await acceptor.async_accept(socket, peer, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
    if (!error) {
      connections.add(std::move(socket), text_of(peer.address()));
      continue;
    }
    if (error == asio::error::connection_aborted) continue;
    // Out of file descriptors or memory: those who are connected go on, newcomers wait in the kernel.
    if (const Mono now = clock.now(); now - complained > kAcceptComplaint) {
      complained = now;
      kLog.error("cannot accept connections; raise the limit of open files if it is too low",
                 {{"reason", error.message()}, {"connections", connections.size()}});
    }
    asio::steady_timer pause(io, kAcceptPause);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
  }
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::listen(asio::io_context& context, Options options, const Router& router,
                                               Usage& usage, const Clock& clock) {
  TRY(const auto endpoint, endpoint_of(context, options.host, options.port));
  const std::string_view port_setting = options.port_setting;
  auto impl = std::make_unique<Impl>(context, std::move(options), router, usage, clock);
  TRYV(impl->open(endpoint, port_setting));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const {
  return impl_->port;
}

void Server::use(const Router& router) {
  impl_->connections.use(router);
}

void Server::start() {
  impl_->tasks.spawn("accept", impl_->accept());
  impl_->tasks.spawn("sweep", impl_->connections.sweep_for_ever());
}

void Server::close_after_answers() {
  impl_->connections.close_after_answers();
}

Task<> Server::stop(Mono deadline) {
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->leave_port();
  co_await impl_->connections.stop(deadline);
  impl_->tasks.cancel();
  co_await impl_->tasks.join();
}

std::size_t Server::connections() const {
  return impl_->connections.size();
}

}  // namespace cc::http
