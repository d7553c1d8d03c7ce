#include "http/connections.h"

#include <poll.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "base/bytes.h"
#include "base/log.h"
#include "http/head.h"

namespace cc::http {
namespace {

const Logger kLog{"http"};

constexpr std::size_t kMaxRefused = 256;  // over the limit, answered 503; more are closed without a word

// Fine enough for the shortest limit, and never more than two a second nor less than a hundred.
std::chrono::milliseconds period_for(const Limits& limits) {
  const auto shortest = std::min({limits.header_time, limits.body_time, limits.write_time, limits.idle_time});
  return std::clamp<std::chrono::milliseconds>(shortest / 4, std::chrono::milliseconds(10),
                                               std::chrono::milliseconds(500));
}

void report(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& e) {
    if (e.code() != asio::error::operation_aborted) kLog.error("a connection broke", {{"reason", e.what()}});
  } catch (const std::exception& e) {
    kLog.error("a connection broke", {{"reason", e.what()}});
  }
}

}  // namespace

Connections::Connections(asio::io_context& context, Server::Options options, const Router& router, Usage& usage,
                         const Clock& clock)
    : context_(context),
      options_(std::move(options)),
      router_(&router),
      usage_(usage),
      clock_(clock),
      period_(period_for(options_.limits)),
      ended_(context, Mono::max()),
      id_prefix_(random_id().substr(18)) {
  tick();
}

Connections::~Connections() = default;

void Connections::add(Socket socket, std::string remote_address) {
  if (stopping_) return;
  const bool refused = usage_.connections.fetch_add(1, std::memory_order_relaxed) >= usage_.most_connections;
  if (refused) {
    usage_.connections.fetch_sub(1, std::memory_order_relaxed);
    if (options_.tls || refused_ >= kMaxRefused) return;
    ++refused_;
  }
  const auto connection =
      connections_.emplace(connections_.end(), *this, std::move(socket), std::move(remote_address), refused);
  // Owned by this list, cancelled and waited for by stop().
  asio::co_spawn(context_, connection->run(), Ended{*this, connection});
}

void Connections::Ended::operator()(const std::exception_ptr& exception) const {
  if (exception) report(exception);
  all.remove(connection);
}

void Connections::remove(std::list<Connection>::iterator connection) {
  if (connection->refused()) {
    --refused_;
  } else {
    usage_.connections.fetch_sub(1, std::memory_order_relaxed);
  }
  connections_.erase(connection);
  if (connections_.empty()) ended_.cancel();
}

std::string Connections::next_request_id() {
  constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string id = id_prefix_;  // short enough to need no allocation
  std::uint64_t rest = id_count_++;
  for (int i = 0; i < 7; ++i, rest >>= 5)
    id += kDigits[rest & 31];
  return id;
}

void Connections::tick() {
  date_ = http_date(std::chrono::floor<std::chrono::seconds>(clock_.wall()));
}

Task<> Connections::sweep_for_ever() {
  asio::steady_timer timer(context_);
  for (;;) {
    timer.expires_after(period_);
    boost::system::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    tick();
    const Mono now = clock_.now();
    for (auto at = connections_.begin(); at != connections_.end();)
      (at++)->check_deadline(now);
    notice_clients_that_left();
  }
}

void Connections::notice_clients_that_left() {
  std::array<pollfd, 256> sockets;
  std::array<Connection*, 256> waiting;
  for (auto at = connections_.begin(); at != connections_.end();) {
    nfds_t count = 0;
    for (; at != connections_.end() && count < sockets.size(); ++at) {
      if (!at->has_long_waited()) continue;
      sockets[count] = {.fd = at->descriptor(), .events = POLLRDHUP, .revents = 0};
      waiting[count++] = &*at;
    }
    if (count == 0 || ::poll(sockets.data(), count, 0) <= 0) continue;
    for (nfds_t i = 0; i < count; ++i) {
      if (sockets[i].revents != 0) waiting[i]->abort();
    }
  }
}

Task<> Connections::until_empty(Mono deadline) {
  for (Mono now = clock_.now(); !connections_.empty() && now < deadline; now = clock_.now()) {
    ended_.expires_after(deadline - now);
    boost::system::error_code ignored;
    co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

Task<> Connections::stop(Mono deadline) {
  stopping_ = true;
  for (auto at = connections_.begin(); at != connections_.end();)
    (at++)->close_when_idle();
  co_await until_empty(deadline);
  for (auto at = connections_.begin(); at != connections_.end();)
    (at++)->abort();
  co_await until_empty(Mono::max());
}

}  // namespace cc::http
