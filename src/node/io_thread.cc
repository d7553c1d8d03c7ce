#include "node/io_thread.h"

#include <algorithm>
#include <utility>

#include "api/native/call.h"
#include "api/native/routes.h"
#include "node/waiting.h"
#include "service/directory.h"

namespace cc::node {

IoThread::IoThread(const Shared& shared)
    : shared_(shared),
      context_{.io = io_,
               .clock = shared.clock,
               .view = view_,
               .directory = service::make_directory({}, shared.settings.security.jwt_secret,
                                                    shared.settings.security.anonymous_read),
               .log = shared.log,
               .queries = shared.queries,
               .workers = shared.workers,
               .lockout = shared.lockout,
               .audit = shared.audit,
               .archive = shared.archive} {
  context_.limits.content = shared.settings.server.max_content;
  context_.limits.transfer = 8 * std::min<std::uint64_t>(shared.settings.server.max_body, 1ull << 60);
  context_.jwt_secret = shared.settings.security.jwt_secret;
  context_.jwt_expiration = shared.settings.security.jwt_expiration;
  context_.timeout = shared.settings.server.timeout;
  context_.node_version = CC_VERSION;
  context_.edge = shared.edge;
  if (shared.settings.limits.requests_per_user != 0 || shared.settings.limits.requests_per_address != 0)
    context_.sessions.limit(shared.rates);
  api::native::add_all_routes(router_, context_);
  add_waiting_routes(waiting_router_, shared.waits_for);
}

IoThread::~IoThread() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

Result<> IoThread::admit(const http::Request& request) {
  if (!serving_) return fail(not_serving(shared_.waits_for()));
  return api::native::admit_large_body(context_, request);
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
                                .admit = [this](const http::Request& request) { return admit(request); },
                                .on_answered =
                                    [this](std::string_view route, http::Method method, unsigned status,
                                           std::optional<std::chrono::nanoseconds> took) {
                                      requests_.add(route, http::to_string(method), status, took);
                                    }};
  TRY(server_, http::Server::listen(io_, std::move(options), waiting_router_, shared_.usage, shared_.clock));
  return server_->port();
}

Result<std::uint16_t> IoThread::listen_metrics(std::uint16_t port, const http::Router& router, http::Usage& usage) {
  http::Server::Options options{.host = shared_.settings.server.host,
                                .port = port,
                                .port_setting = "monitoring.prometheus_port",
                                .limits = {},
                                .compress = true,
                                .tls = nullptr,
                                .admit = {},
                                .on_answered = {}};
  TRY(metrics_server_, http::Server::listen(io_, std::move(options), router, usage, shared_.clock));
  return metrics_server_->port();
}

void IoThread::run() {
  if (server_) server_->start();
  if (metrics_server_) metrics_server_->start();
  thread_ = std::thread([this] { io_.run(); });
}

void IoThread::tell(MessagePtr message, std::function<void()> taken) {
  asio::post(io_, [this, message = std::move(message), taken = std::move(taken), committed = shared_.clock.now()] {
    take(*message, committed);
    if (taken) taken();
  });
}

void IoThread::take(const Message& message, Mono committed) {
  const std::size_t waiting = view_.waiters();
  if (message.directory) service::replace_directory(context_, message.directory);
  if (!message.revoked_tokens.empty()) service::revoke_tokens(context_, message.revoked_tokens);
  if (message.everything) {
    view_.load(*message.everything, message.revision);
  } else {
    view_.update(message.events, message.revision);
  }
  // Whom that woke comes first in this thread's queue, and is answered there.
  if (view_.waiters() < waiting)
    asio::post(io_, [this, committed] { told_watchers_.add(shared_.clock.now() - committed); });
  if (message.cluster_id.empty()) return;
  context_.cluster_id = message.cluster_id;
  serving_ = true;
  if (server_) server_->use(router_);
}

void IoThread::revoke(const identity::RevokedTokens& tokens) {
  asio::post(io_, [this, tokens] { service::revoke_tokens(context_, tokens); });
}

void IoThread::leave() {
  asio::post(io_, [this] {
    context_.leaving = true;
    if (server_) server_->close_after_answers();
  });
}

void IoThread::stop(Mono deadline, std::function<void()> stopped) {
  asio::post(io_, [this, deadline, stopped = std::move(stopped)] {
    service::stop_waiting(context_);
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
