#include "node/node.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <future>
#include <latch>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "node/first_start.h"
#include "node/io_thread.h"
#include "node/metrics.h"
#include "node/peers.h"
#include "node/state_machine.h"
#include "service/audit_trail.h"

namespace cc::node {
namespace {

const Logger kLog{"node"};

identity::Lockout::Options lockout_options(const Settings& settings) {
  return {.failures_per_user = settings.security.login_failures,
          .failures_per_network = settings.security.login_failures * 10,
          .lock = settings.security.login_lock};
}

}  // namespace

struct Node::Impl {
  Impl(Settings settings_, DataFolder folder_, const Clock& clock_)
      : settings(std::move(settings_)),
        folder(std::move(folder_)),
        clock(clock_),
        lockout(clock_, lockout_options(settings)) {}

  ~Impl() {
    stop();
    workers.join();
    // The log tells the I/O threads what it commits, and answers there: they go last.
    audit.reset();
    log.reset();
    threads.clear();
  }

  Result<> open();
  Result<> listen();
  Result<> serve();
  void stop();
  void broadcast(MessagePtr message, std::move_only_function<void()> then);

  Settings settings;
  DataFolder folder;
  const Clock& clock;
  Counters counters;
  std::unique_ptr<state::State> state;
  std::unique_ptr<StateMachine> machine;
  std::unique_ptr<consensus::Log> log;
  std::unique_ptr<state::Queries> queries;
  std::unique_ptr<service::AuditTrail> audit;
  identity::Lockout lockout;
  service::Workers workers;
  http::Usage usage, metrics_usage;
  http::Router metrics_router;
  std::optional<Shared> shared;
  std::vector<std::unique_ptr<IoThread>> threads;
  std::uint16_t port = 0, metrics_port = 0;
  bool stopped = false;
};

Result<> Node::Impl::open() {
  TRY(auto peers, parse_peers(settings.raft.peers, settings.raft.node_id));
  const Path state_file = folder.path() / "state.db";
  TRY(state, state::State::open(state_file));
  machine =
      std::make_unique<StateMachine>(*state, counters, settings.security.jwt_secret, settings.security.anonymous_read);
  TRY(log, consensus::Log::open({.directory = folder.path() / "raft",
                                 .node_id = settings.raft.node_id,
                                 .address = settings.raft.address,
                                 .peers = std::move(peers),
                                 .election_timeout = settings.raft.election_timeout,
                                 .heartbeat_interval = settings.raft.heartbeat_interval,
                                 .snapshot_after_entries = settings.raft.snapshot_entries,
                                 .min_free_disk = settings.server.min_free_disk},
                                *machine,
                                {.committed = [this](auto took) { counters.commit.add(took); },
                                 .applied =
                                     [this](auto took, std::size_t commands) {
                                       counters.apply.add(took);
                                       counters.applied += commands;
                                     }}));
  queries = std::make_unique<state::Queries>(state_file, service::Workers::kQuestions + service::Workers::kSearches,
                                             [this](auto patience) { return log->settle(patience); });
  audit = std::make_unique<service::AuditTrail>(*log, clock);
  return {};
}

Result<> Node::Impl::listen() {
  std::shared_ptr<http::TlsContext> tls;
  if (!settings.server.tls_certificate_file.empty()) {
    TRY(tls, http::TlsContext::load(settings.server.tls_certificate_file, settings.server.tls_key_file,
                                    settings.server.tls_client_ca_file));
  }
  usage.most_connections = settings.server.max_connections;
  usage.most_body_bytes = std::max(usage.most_body_bytes, settings.server.max_body);
  metrics_usage.most_connections = 32;  // scrapes are few, and these are not counted with the others
  shared.emplace(Shared{settings, clock, *log, *queries, workers, lockout, *audit, usage, std::move(tls), {}});
  for (unsigned i = 0; i < settings.server.workers; ++i) {
    auto& thread = threads.emplace_back(std::make_unique<IoThread>(*shared));
    TRY(port, thread->listen(i == 0 ? settings.server.port : port));
  }
  if (settings.monitoring.enabled) {
    add_metrics_route(metrics_router, {settings, *log, counters, workers.of(service::Work::question), usage, threads});
    TRY(metrics_port,
        threads.front()->listen_metrics(settings.monitoring.prometheus_port, metrics_router, metrics_usage));
  }
  return {};
}

Result<> Node::Impl::serve() {
  if (state->position().cluster_id.empty()) {
    TRYV(create_cluster(*log, folder.path(), clock, std::getenv("CONFIG_CENTER_ADMIN_PASSWORD")));
  }
  shared->cluster_id = state->position().cluster_id;
  // The messages wait in the I/O threads' queues: each serves its first request after it has loaded its view.
  std::promise<Result<>> live;
  log->settle([&](Result<> settled) {
    if (settled) {
      settled = machine->go_live([this](MessagePtr message, std::move_only_function<void()> then) {
        broadcast(std::move(message), std::move(then));
      });
    }
    live.set_value(std::move(settled));
  });
  TRYV(live.get_future().get());
  for (const auto& thread : threads)
    thread->run();
  return {};
}

void Node::Impl::broadcast(MessagePtr message, std::move_only_function<void()> then) {
  struct Barrier {
    std::atomic<std::size_t> missing;
    std::move_only_function<void()> then;
  };
  auto barrier = std::make_shared<Barrier>(threads.size(), std::move(then));
  for (const auto& thread : threads) {
    thread->tell(message, [barrier] {
      if (--barrier->missing == 0 && barrier->then) barrier->then();
    });
  }
}

void Node::Impl::stop() {
  if (std::exchange(stopped, true)) return;
  if (!threads.empty() && shared) {
    std::latch all(static_cast<std::ptrdiff_t>(threads.size()));
    const Mono deadline = clock.now() + settings.server.stop_timeout;
    for (const auto& thread : threads)
      thread->stop(deadline, [&all] { all.count_down(); });
    all.wait();
  }
  if (audit) audit->flush();
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::start(Settings settings, DataFolder folder, const Clock& clock) {
  const Mono began = clock.now();
  auto impl = std::make_unique<Impl>(std::move(settings), std::move(folder), clock);
  const auto give_up = [&](Error error) {
    impl->stopped = true;  // no I/O thread runs yet
    return fail(std::move(error));
  };
  if (auto opened = impl->open(); !opened) return give_up(std::move(opened).error());
  // Before a cluster is made: what cannot serve must not have had its first start.
  if (auto listens = impl->listen(); !listens) return give_up(std::move(listens).error());
  if (auto served = impl->serve(); !served) return give_up(std::move(served).error());
  kLog.info("serving",
            {{"version", CC_VERSION},
             {"address", fmt::format("{}:{}", impl->settings.server.host, impl->port)},
             {"metrics_port", impl->metrics_port},
             {"data_dir", impl->folder.path().string()},
             {"revision", impl->state->position().revision},
             {"io_threads", impl->threads.size()},
             {"took_ms", std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - began).count()}});
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

std::uint16_t Node::port() const {
  return impl_->port;
}
std::uint16_t Node::metrics_port() const {
  return impl_->metrics_port;
}

Result<> Node::reload_tls() {
  if (!impl_->shared->tls) return {};
  return impl_->shared->tls->reload();
}

void Node::stop() {
  impl_->stop();
}

}  // namespace cc::node
