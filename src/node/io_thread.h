// One I/O thread: its io_context, its view, its services and routes, its listening socket. Shares nothing with the
// others but immutable releases. Until it is told of a cluster it answers that the node does not serve yet.
#pragma once

#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "base/task.h"
#include "http/router.h"
#include "http/server.h"
#include "monitor/request_counts.h"
#include "node/settings.h"
#include "node/state_machine.h"
#include "service/context.h"
#include "view/view.h"

namespace cc::node {

// What the I/O threads of a node share; outlives them.
struct Shared {
  const Settings& settings;
  const Clock& clock;
  consensus::Log& log;
  const state::Queries& queries;
  service::Workers& workers;
  identity::Lockout& lockout;
  service::AuditTrail& audit;
  archive::Archive* archive;  // null: there is none
  http::Usage& usage;
  std::shared_ptr<http::TlsContext> tls;
  std::function<std::string()> waits_for;  // as long as there is no cluster; any thread
  const edge::Edge* edge = nullptr;        // when there is a Redis
  service::Rates& rates;
};

class IoThread {
 public:
  explicit IoThread(const Shared& shared);
  ~IoThread();  // stops and joins

  // Opens the API's listening socket; 0 is any free port. Before run().
  Result<std::uint16_t> listen(std::uint16_t port);
  // Opens the metrics' listening socket with `router`. Before run(), on one of the I/O threads.
  Result<std::uint16_t> listen_metrics(std::uint16_t port, const http::Router& router, http::Usage& usage);
  void run();  // starts the thread

  // Any thread; taken in order.
  void tell(MessagePtr message, std::function<void()> taken);

  // Any thread. As a message's revoked_tokens, of which no message has come yet.
  void revoke(const identity::RevokedTokens& tokens);

  // Any thread. From now on /readyz says no, and each answer is the last of its connection; everything is served.
  void leave();
  // Any thread. Answers watchers, lets requests finish until `deadline`, then runs `stopped` on the I/O thread.
  void stop(Mono deadline, std::function<void()> stopped);

  struct Figures {
    std::size_t watchers = 0, configs = 0;
    std::uint64_t content_bytes = 0;
    Revision revision = 0;
  };
  Figures figures() const;  // on this I/O thread
  asio::io_context& io() { return io_; }
  const monitor::RequestCounts& requests() const { return requests_; }
  const Tally& reads() const { return *context_.reads; }
  const monitor::Histogram& told_watchers() const { return told_watchers_; }

 private:
  void take(const Message& message, Mono committed);
  Result<> admit(const http::Request& request);

  const Shared& shared_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  view::View view_;
  service::Context context_;
  http::Router router_, waiting_router_;
  bool serving_ = false;
  monitor::RequestCounts requests_;
  monitor::Histogram told_watchers_;  // from a commit until the last whom it woke was answered
  std::unique_ptr<http::Server> server_, metrics_server_;
  std::optional<TaskGroup> stopping_;
  std::thread thread_;
};

}  // namespace cc::node
