#include "node/io_thread.h"

#include <utility>

#include "api/native/routes.h"
#include "node/directory.h"

namespace cc::node {

IoThread::IoThread(const Shared& shared)
    : shared_(shared),
      context_{.io = io_,
               .clock = shared.clock,
               .view = view_,
               .directory = make_directory({}, shared.settings),
               .log = shared.log,
               .queries = shared.queries,
               .workers = shared.workers,
               .lockout = shared.lockout,
               .audit = shared.audit} {
  context_.limits.content = shared.settings.server.max_content;
  context_.jwt_secret = shared.settings.security.jwt_secret;
  context_.jwt_expiration = shared.settings.security.jwt_expiration;
  context_.timeout = shared.settings.server.timeout;
  context_.node_version = CC_VERSION;
  context_.started = shared.clock.now();
  api::native::add_all_routes(router_, context_);
}

IoThread::~IoThread() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

Result<std::uint16_t> IoThread::listen(std::uint16_t port) {
  const Settings& settings = shared_.settings;
  http::Server::Options options{.host = settings.server.host,
                                .port = port,
                                .port_setting = "server.port",
                                .limits = {.body = settings.server.max_body,
                                           .header_time = settings.server.header_timeout,
                                           .body_time = settings.server.timeout,
                                           .write_time = settings.server.timeout,
                                           .idle_time = settings.server.idle_timeout},
                                .compress = true,
                                .tls = shared_.tls,
                                .on_answered = [this](std::string_view route, http::Method method, unsigned status,
                                                      std::chrono::nanoseconds took) {
                                  requests_.add(route, http::to_string(method), status, took);
                                }};
  TRY(server_, http::Server::listen(io_, std::move(options), router_, shared_.connections));
  return server_->port();
}

Result<std::uint16_t> IoThread::listen_metrics(std::uint16_t port, const http::Router& router,
                                               http::ConnectionCount& connections) {
  http::Server::Options options{.host = shared_.settings.server.host,
                                .port = port,
                                .port_setting = "monitoring.prometheus_port",
                                .limits = {},
                                .compress = true,
                                .tls = nullptr,
                                .on_answered = {}};
  TRY(metrics_server_, http::Server::listen(io_, std::move(options), router, connections));
  return metrics_server_->port();
}

void IoThread::run() {
  context_.cluster_id = shared_.cluster_id;
  if (server_) server_->start();
  if (metrics_server_) metrics_server_->start();
  thread_ = std::thread([this] { io_.run(); });
}

void IoThread::tell(MessagePtr message, std::function<void()> taken) {
  asio::post(io_, [this, message = std::move(message), taken = std::move(taken)] {
    take(*message);
    if (taken) taken();
  });
}

void IoThread::take(const Message& message) {
  if (message.identity) service::replace_directory(context_, make_directory(*message.identity, shared_.settings));
  if (message.everything) {
    view_.load(*message.everything, message.revision);
  } else {
    view_.update(message.events, message.revision);
  }
}

void IoThread::stop(Mono deadline, std::function<void()> stopped) {
  asio::post(io_, [this, deadline, stopped = std::move(stopped)] {
    context_.stopping = true;
    // A woken wait takes itself out of the set: go through a copy.
    const auto waits = context_.on_stop;
    for (const auto* wake : waits) {
      if (context_.on_stop.contains(const_cast<std::function<void()>*>(wake))) (*wake)();
    }
    stopping_.emplace(io_.get_executor());
    stopping_->spawn("stop", [](IoThread& self, Mono until, std::function<void()> done) -> Task<> {
      if (self.server_) co_await self.server_->stop(until);
      if (self.metrics_server_) co_await self.metrics_server_->stop(until);
      done();
    }(*this, deadline, stopped));
  });
}

IoThread::Figures IoThread::figures() const {
  return {.watchers = view_.waiters(),
          .configs = view_.configs(),
          .content_bytes = view_.content_bytes(),
          .revision = view_.revision()};
}

}  // namespace cc::node
