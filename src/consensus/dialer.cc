#include "consensus/dialer.h"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <fmt/format.h>

#include "base/host_port.h"
#include "base/text.h"

namespace cc::consensus {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using Channel = Result<std::unique_ptr<SecureChannel>>;

// A node answers at once; only whether another one runs under the same id takes it a while to find out.
constexpr std::chrono::seconds kHandshake{2};

}  // namespace

std::string name_of(const Peer& peer) {
  return fmt::format("node {} at {}", peer.id, printable(peer.address, 200));
}

void Dialed::hang_up() {
  if (looking_up) looking_up->cancel();
  if (wire != nullptr) wire->close();
}

Dialer::Dialer(asio::io_context& io, Wires& wires, const TlsContextPtr& tls, std::string secret,
               std::chrono::milliseconds timeout)
    : io_(io), wires_(wires), tls_(tls), secret_(std::move(secret)), timeout_(timeout) {}

// What the name meant the last time is tried before it is looked up again, which may take long: the system's look-up
// cannot be broken off.
Task<Result<tcp::endpoint>> Dialer::look_up(Dialed& whom) {
  CO_TRY(const HostAndPort at, parse_host_and_port(whom.peer.address));
  error_code error;
  if (const auto address = asio::ip::make_address(at.host, error); !error) co_return tcp::endpoint(address, at.port);
  if (whom.next < whom.endpoints.size()) co_return whom.endpoints[whom.next++];
  whom.looking_up = std::make_shared<tcp::resolver>(io_);
  asio::steady_timer limit(io_, timeout_);
  limit.async_wait([resolver = whom.looking_up](const error_code& stopped) {
    if (!stopped) resolver->cancel();
  });
  const auto found = co_await whom.looking_up->async_resolve(at.host, std::to_string(at.port),
                                                             asio::redirect_error(asio::use_awaitable, error));
  whom.looking_up.reset();
  if (!error && !found.empty()) whom.endpoints.assign(found.begin(), found.end());
  if (whom.endpoints.empty())
    co_return fail(Code::unavailable, fmt::format("its name cannot be found: {}", error.message()));
  whom.next = 1;
  co_return whom.endpoints.front();
}

Task<Channel> Dialer::try_to(Dialed& whom, Purpose purpose, Introduction self) {
  CO_TRY(const tcp::endpoint to, co_await look_up(whom));
  auto wire = std::make_unique<Wire>(io_, wires_, tls_);
  whom.wire = wire.get();
  wire->limit(Mono::clock::now() + timeout_);
  CO_TRYV(co_await wire->connect(to));
  wire->notice_silence(purpose == Purpose::file ? 4 * timeout_ : timeout_);
  wire->limit(Mono::clock::now() + kHandshake + 2 * timeout_);
  auto channel = co_await SecureChannel::dial(std::move(wire), secret_, purpose, std::move(self));
  if (channel) {
    (*channel)->wire().limit(std::nullopt);
    whom.next -= std::min<std::size_t>(whom.next, 1);  // it is the first the next time
  }
  co_return channel;
}

Task<Channel> Dialer::dial(Dialed& whom, Purpose purpose, Introduction self) {
  auto channel = co_await try_to(whom, purpose, std::move(self));
  whom.wire = nullptr;
  if (!channel) co_return fail(std::move(channel).error().with_context(name_of(whom.peer)));
  co_return channel;
}

}  // namespace cc::consensus
