#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

#include "base/certificate.h"
#include "base/host_port.h"
#include "base/inbox.h"
#include "base/text.h"
#include "consensus/acquaintances.h"
#include "consensus/dialer.h"
#include "consensus/file_transfer.h"
#include "consensus/network.h"
#include "consensus/outboxes.h"
#include "consensus/say.h"
#include "consensus/strangers.h"

namespace cc::consensus {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
using Then = std::move_only_function<void(Result<>)>;

constexpr std::chrono::seconds kPatienceWithStrangers{2};
constexpr milliseconds kAcceptPause{100};
constexpr std::size_t kWorkers = 2;
constexpr int kStall = 4;  // times the timeout: how long a file may not get any further

std::string text_of(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

// Wall(): never.
Wall expiry(const TlsContextPtr& tls) {
  return tls ? expiry_of(tls->native_handle()).value_or(Wall()) : Wall();
}

Mono now() {
  return Mono::clock::now();
}

// What runs on the network's thread, "cc-peers".
class TcpNetwork final : public Network {
 public:
  TcpNetwork(NetworkOptions options, TlsContextPtr tls, Greeting self, Receiver& receiver)
      : options_(std::move(options)),
        tls_(std::move(tls)),
        expires_(expiry(tls_)),
        dialer_(io_, wires_, tls_, options_.secret, options_.timeout),
        acquaintances_(io_, tasks_, dialer_, outboxes_, strangers_, std::move(self), receiver, options_.timeout) {}
  ~TcpNetwork() override;

  Result<> listen();
  void start();

  void connect_to(std::vector<Peer> peers) override {
    inbox_.put([this, peers = std::move(peers)] { acquaintances_.connect_to(peers); });
  }
  void introduce(Greeting self) override {
    inbox_.put([this, self = std::move(self)]() mutable { acquaintances_.introduce(std::move(self)); });
  }
  void send(NodeId to, std::string message) override;
  void fetch(const Peer& from, std::string name, Path into, Then then) override {
    inbox_.put([this, from, name = std::move(name), into = std::move(into), then = std::move(then)]() mutable {
      tasks_.spawn("fetch a file", fetch_and_tell(from, std::move(name), std::move(into), std::move(then)));
    });
  }
  Result<> reload_tls() override {
    TRY(auto tls, load_tls(options_.tls_certificate_file, options_.tls_key_file, options_.tls_ca_file));
    expires_ = expiry(tls);
    inbox_.put([this, tls = std::move(tls)]() mutable { tls_ = std::move(tls); });
    return {};
  }
  std::optional<Wall> certificate_expires() const override {
    const Wall expires = expires_;
    return expires == Wall() ? std::nullopt : std::optional(expires);
  }

 private:
  void run();
  void stop();
  Task<> accept();
  Task<> sweep();
  Task<> serve(Socket socket, std::string address);
  Task<> serve_file(std::unique_ptr<SecureChannel> channel);
  Task<> fetch_and_tell(Peer from, std::string name, Path into, Then then);
  Task<Result<>> fetch_from(Peer from, std::string name, Path into);
  asio::thread_pool& workers() {
    if (!workers_) workers_.emplace(kWorkers);  // here, so that they inherit that signals are not for them
    return *workers_;
  }

  const NetworkOptions options_;
  TlsContextPtr tls_;
  std::atomic<Wall> expires_;  // what tls_ shows
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  TaskGroup tasks_{io_.get_executor()};
  Inbox<std::move_only_function<void()>> inbox_{io_, [](auto job) { job(); }};
  Wires wires_;
  Strangers strangers_;
  Outboxes outboxes_;
  Dialer dialer_;
  Acquaintances acquaintances_;
  Acceptor acceptor_{io_};
  asio::steady_timer sweeping_{io_};
  std::optional<asio::thread_pool> workers_;
  bool stopping_ = false;
  std::thread thread_;
};

// --- life ---

Result<> TcpNetwork::listen() {
  TRY(const HostAndPort at, parse_host_and_port(options_.listen));
  error_code error;
  tcp::endpoint endpoint(asio::ip::make_address(at.host, error), at.port);
  if (error) {
    const auto found = tcp::resolver(io_).resolve(at.host, std::to_string(at.port), tcp::resolver::passive, error);
    if (!error && !found.empty()) endpoint = found.begin()->endpoint();
  }
  if (!error) acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(Acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(Acceptor::max_listen_connections, error);
  if (!error) return {};
  return fail(Code::unavailable,
              fmt::format("cannot listen on {} for the other nodes: {}; {}", options_.listen, error.message(),
                          error == asio::error::address_in_use
                              ? "does another node run there? Choose another port in raft.address"
                              : "raft.address must be one of this machine"));
}

void TcpNetwork::start() {
  thread_ = std::thread([this] { run(); });
}

void TcpNetwork::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are for the main thread
  pthread_setname_np(pthread_self(), "cc-peers");
  tasks_.spawn("accept nodes", accept());
  tasks_.spawn("look after connections", sweep());
  io_.run();
  if (workers_) workers_->join();
}

TcpNetwork::~TcpNetwork() {
  if (!thread_.joinable()) return;
  inbox_.put([this] { stop(); });
  thread_.join();
}

// Every task ends by itself once what it waits for does.
void TcpNetwork::stop() {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  sweeping_.cancel();
  acquaintances_.stop();
  wires_.close_all();
  work_.reset();
}

Task<> TcpNetwork::sweep() {
  const milliseconds often = std::clamp(options_.timeout / 8, milliseconds(10), milliseconds(100));
  while (!stopping_) {
    sweeping_.expires_after(often);
    error_code ignored;
    co_await sweeping_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    wires_.check(now());
    acquaintances_.check(now());
  }
}

// --- messages ---

void TcpNetwork::send(NodeId to, std::string message) {
  if (message.size() > kLargestMessage) {
    log.error("a message to a node is too long, and is not sent", {{"node", to}, {"bytes", message.size()}});
    return;
  }
  if (!outboxes_.put(to, std::move(message))) return;
  asio::post(io_, [this] {
    outboxes_.looked();
    acquaintances_.look_into_outboxes();
  });
}

// --- who connects ---

Task<> TcpNetwork::accept() {
  while (!stopping_) {
    Socket socket(io_);
    tcp::endpoint peer;
    error_code error;
    co_await acceptor_.async_accept(socket, peer, asio::redirect_error(asio::use_awaitable, error));
    if (stopping_) co_return;
    if (!error) {
      tasks_.spawn("serve a connection", serve(std::move(socket), text_of(peer.address())));
      continue;
    }
    if (error == asio::error::connection_aborted) continue;
    strangers_.complain("any", fmt::format("connections cannot be accepted: {}", error.message()), now());
    asio::steady_timer pause(io_, kAcceptPause);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

Task<> TcpNetwork::serve(Socket socket, std::string address) {
  auto wire = std::make_unique<Wire>(std::move(socket), wires_, tls_);
  std::optional<Strangers::Place> place(std::in_place, strangers_, *wire, address);
  wire->notice_silence(options_.timeout);
  wire->limit(now() + kPatienceWithStrangers);
  auto channel = co_await SecureChannel::accept(std::move(wire), options_.secret);
  place.reset();
  if (stopping_) co_return;
  if (!channel) {
    strangers_.complain(address, channel.error().message, now());
  } else if ((*channel)->purpose() == Purpose::file) {
    co_await serve_file(*std::move(channel));
  } else {
    co_await acquaintances_.welcome(*std::move(channel), std::move(address));
  }
}

// --- files ---

Task<> TcpNetwork::serve_file(std::unique_ptr<SecureChannel> channel) {
  const NodeId node = channel->other().greeting.node;
  Introduction self = acquaintances_.introduction_to(node);
  if (auto fine = acquaintances_.accepts(channel->other()); !fine) self.refusal = std::move(fine).error();
  const bool refused = self.refusal.has_value();
  if (!co_await channel->answer(self)) co_return;
  if (refused) {
    co_await channel->wire().linger(kPatienceWithStrangers);
    co_return;
  }
  channel->wire().notice_silence(kStall * options_.timeout);
  channel->wire().limit_stall(kStall * options_.timeout);
  channel->wire().limit(std::nullopt);
  if (auto sent = co_await offer_file(*channel, options_.files, workers()); !sent && !stopping_) {
    log.warn("a file that another node fetches was not sent to its end", {{"node", node}, {"error", sent.error()}});
  }
}

Task<> TcpNetwork::fetch_and_tell(Peer from, std::string name, Path into, Then then) {
  auto done = co_await fetch_from(from, name, std::move(into));
  if (!done) done = fail(std::move(done).error().with_context(fmt::format("fetch file {}", printable(name, 40))));
  then(std::move(done));
}

Task<Result<>> TcpNetwork::fetch_from(Peer from, std::string name, Path into) {
  if (!is_offered_name(name)) co_return fail(Code::invalid_argument, "nodes offer each other only names of digits");
  Dialed dialed(from);
  CO_TRY(const auto channel, co_await dialer_.dial(dialed, Purpose::file, acquaintances_.introduction_to(from.id)));
  const Introduction& other = channel->other();
  if (other.refusal) co_return std::unexpected(*other.refusal);
  CO_TRYV(acquaintances_.accepts(other));
  if (other.greeting.node != from.id) {
    co_return fail(Code::conflict, fmt::format("at {} is node {}", from.address, other.greeting.node));
  }
  channel->wire().limit_stall(kStall * options_.timeout);
  auto done = co_await fetch_file(*channel, name, into, workers());
  if (!done) co_return fail(std::move(done).error().with_context(name_of(from)));
  co_return done;
}

}  // namespace

Result<std::unique_ptr<Network>> listen_on_tcp(NetworkOptions options, Greeting self, Network::Receiver& receiver) {
  if (options.secret.empty()) {
    return fail(Code::invalid_argument, "nodes of a group need a secret in common, so that nobody else speaks to them");
  }
  TRY(auto tls, load_tls(options.tls_certificate_file, options.tls_key_file, options.tls_ca_file));
  auto network = std::make_unique<TcpNetwork>(std::move(options), std::move(tls), std::move(self), receiver);
  TRYV(network->listen());
  network->start();
  return network;
}

}  // namespace cc::consensus
