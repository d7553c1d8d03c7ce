#include "node/node.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <future>
#include <latch>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "archive/archive.h"
#include "base/background.h"
#include "base/host_port.h"
#include "base/log.h"
#include "base/text.h"
#include "node/alerting.h"
#include "node/backups.h"
#include "node/counting.h"
#include "node/edge_copy.h"
#include "node/first_start.h"
#include "node/history_backup.h"
#include "node/io_thread.h"
#include "node/leader_jobs.h"
#include "node/metrics.h"
#include "node/peers.h"
#include "node/restore.h"
#include "node/retention.h"
#include "node/state_machine.h"
#include "node/upkeep.h"
#include "node/waiting.h"
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
  Impl(Settings settings_, DataFolder folder_, const Clock& clock_, Events events_)
      : settings(std::move(settings_)),
        folder(std::move(folder_)),
        clock(clock_),
        events(std::move(events_)),
        lockout(clock_, lockout_options(settings)),
        rates({settings.limits.requests_per_user, settings.limits.requests_per_address}, clock_) {}

  ~Impl() {
    stop();
    jobs.stop();
    workers.join();
    // The log tells the I/O threads what it commits, and answers there: they go last.
    audit.reset();
    log.reset();
    counting.reset();
    threads.clear();
  }

  Result<> open();
  Result<> listen();
  Result<> go_live();
  Result<> begin_alerting();
  MetricsSources metrics();
  void count_together();
  void stop();
  void broadcast(const MessagePtr& message, std::move_only_function<void()> then);
  void make_cluster(const std::stop_token& stop);
  std::string cluster_id() {
    const std::lock_guard lock(cluster_mutex);
    return cluster;
  }

  Settings settings;
  DataFolder folder;
  const Clock& clock;
  const Events events;
  Counters counters;
  Bell committed;  // rings when the state's file has something new
  LeaderJobs jobs;
  std::unique_ptr<state::State> state;
  std::unique_ptr<StateMachine> machine;
  std::unique_ptr<consensus::Log> log;
  std::unique_ptr<state::Queries> queries;
  std::optional<edge::Servers> redis;  // nothing: the settings name none
  std::unique_ptr<edge::Edge> edge;    // when there is a Redis
  std::unique_ptr<service::AuditTrail> audit;
  std::unique_ptr<archive::Archive> archive;  // null: there is none
  std::unique_ptr<Backups> backups;           // null: none are made by the clock
  identity::Lockout lockout;
  service::Rates rates;
  service::Workers workers;
  http::Usage usage, metrics_usage;
  http::Router metrics_router;
  std::optional<Shared> shared;
  std::vector<std::unique_ptr<IoThread>> threads;
  std::unique_ptr<Counting> counting;  // when there is a Redis
  std::optional<Upkeep> upkeep;        // nothing: it is not done by the clock
  std::unique_ptr<Alerting> alerting;  // when the settings name rules
  std::uint16_t port = 0, metrics_port = 0;
  std::mutex cluster_mutex;
  std::string cluster;  // its id, once the I/O threads are told; guarded by cluster_mutex
  bool stopped = false;
  std::jthread upkeep_thread;  // ends before what it works on
};

Result<> Node::Impl::open() {
  TRYV(finish_restore(folder));
  TRY(auto peers, parse_peers(settings.raft.peers, settings.raft.node_id));
  const Path state_file = folder.path() / "state.db";
  TRY(state, state::State::open(state_file));
  machine = std::make_unique<StateMachine>(*state, counters, committed, settings.security.jwt_secret,
                                           settings.security.anonymous_read);
  TRY(log, consensus::Log::open({.directory = folder.path() / "raft",
                                 .node_id = settings.raft.node_id,
                                 .address = settings.raft.address,
                                 .peers = std::move(peers),
                                 .join = settings.raft.join,
                                 .listen = settings.raft.listen,
                                 .secret = settings.raft.secret,
                                 .tls_certificate_file = settings.raft.tls_certificate_file,
                                 .tls_key_file = settings.raft.tls_key_file,
                                 .tls_ca_file = settings.raft.tls_ca_file,
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
                                     },
                                 .written = [this](auto took) { counters.write.add(took); },
                                 .leads = [this](bool leads, consensus::Term term) { jobs.lead(leads, term); },
                                 .refused = [this](const Error& why) { events.failed(why); }}));
  queries = std::make_unique<state::Queries>(state_file, service::Workers::kQuestions + service::Workers::kSearches,
                                             [this](auto patience) { return log->settle(patience); });
  audit = std::make_unique<service::AuditTrail>(*log, clock);
  if (!settings.database.host.empty()) {
    TRY(archive, archive::Archive::open(archive_options(settings), state_file, committed, clock));
  }
  if (settings.backup.enabled) backups = std::make_unique<Backups>(settings, state_file, clock);
  if (settings.maintenance.enabled) upkeep.emplace(settings, clock);
  TRY(redis, redis_of(settings));
  if (redis) edge = make_edge(*redis, settings, state_file, committed, *log, clock);
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
  shared.emplace(Shared{settings, clock, *log, *queries, workers, lockout, *audit, archive.get(), usage, std::move(tls),
                        [this] { return node::waits_for(log->status(), settings.raft.join); }, edge.get(), rates});
  for (unsigned i = 0; i < settings.server.workers; ++i) {
    auto& thread = threads.emplace_back(std::make_unique<IoThread>(*shared));
    TRY(port, thread->listen(i == 0 ? settings.server.port : port));
  }
  if (settings.monitoring.enabled) {
    add_metrics_route(metrics_router, metrics());
    TRY(metrics_port,
        threads.front()->listen_metrics(settings.monitoring.prometheus_port, metrics_router, metrics_usage));
  }
  return {};
}

Result<> Node::Impl::go_live() {
  // The messages wait in the I/O threads' queues: each serves its first request after it has loaded its view.
  std::promise<Result<>> live;
  log->settle([&](Result<> settled) {
    if (settled) {
      settled = machine->go_live([this](const MessagePtr& message, std::move_only_function<void()> then) {
        broadcast(message, std::move(then));
      });
    }
    if (settled && redis) count_together();
    live.set_value(std::move(settled));
  });
  TRYV(live.get_future().get());
  for (const auto& thread : threads)
    thread->run();
  return {};
}

MetricsSources Node::Impl::metrics() {
  return {settings,
          *log,
          *queries,
          counters,
          *audit,
          shared->tls.get(),
          archive.get(),
          workers.of(service::Work::question),
          usage,
          threads,
          edge.get(),
          backups.get(),
          upkeep ? &*upkeep : nullptr};
}

Result<> Node::Impl::begin_alerting() {
  TRY(auto rules, alert_rules_of(settings));
  if (!rules) return {};
  alerting = std::make_unique<Alerting>(
      *std::move(rules), host_and_port(settings.server.host, port), [this] { return metrics_page(metrics()); }, clock);
  return {};
}

// With the other nodes, from the first request on. Log thread: what is heard of them comes after everything that the
// I/O threads are told at first, which would make them forget it.
void Node::Impl::count_together() {
  const auto revoke = [this](const identity::RevokedTokens& tokens) {
    for (const auto& thread : threads)
      thread->revoke(tokens);
  };
  counting = std::make_unique<Counting>(*redis, settings, lockout, rates, revoke, clock);
}

// Log thread.
void Node::Impl::broadcast(const MessagePtr& message, std::move_only_function<void()> then) {
  struct Barrier {
    std::atomic<std::size_t> missing;
    std::move_only_function<void()> then;
  };
  if (!message->cluster_id.empty() && cluster_id().empty()) {
    const std::lock_guard lock(cluster_mutex);
    cluster = message->cluster_id;
    then = [this, revision = message->revision, then = std::move(then)]() mutable {
      if (then) then();
      events.serving(revision);
    };
  }
  if (counting && !message->revoked_tokens.empty()) counting->announce(message->revoked_tokens);
  auto barrier = std::make_shared<Barrier>(threads.size(), std::move(then));
  for (const auto& thread : threads) {
    thread->tell(message, [barrier] {
      if (--barrier->missing == 0 && barrier->then) barrier->then();
    });
  }
}

// A job of the leader's.
void Node::Impl::make_cluster(const std::stop_token& stop) {
  const FirstStart first{.log = *log,
                         .data_dir = folder.path(),
                         .clock = clock,
                         .given_password = std::getenv("CONFIG_CENTER_ADMIN_PASSWORD"),
                         .cluster_id = [this] { return cluster_id(); }};
  while (!stop.stop_requested() && cluster_id().empty()) {
    const auto made = create_cluster(first, stop);
    if (made || stop.stop_requested()) return;
    const Error& why = made.error();
    // Of a group of one there is nobody else who could mend it.
    const bool passes = why.code == Code::unavailable || why.code == Code::timeout;
    if (!passes || log->status().servers.size() == 1) return events.failed(why);
    kLog.warn("the cluster is not made yet; it is tried again", {{"reason", why}});
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
  }
}

void Node::Impl::stop() {
  if (std::exchange(stopped, true)) return;
  if (alerting) alerting->stop_looking();
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

Result<std::unique_ptr<Node>> Node::start(Settings settings, DataFolder folder, const Clock& clock, Events events) {
  auto impl = std::make_unique<Impl>(std::move(settings), std::move(folder), clock, std::move(events));
  const auto give_up = [&](Error error) {
    impl->stopped = true;  // no I/O thread runs yet
    return fail(std::move(error));
  };
  if (auto opened = impl->open(); !opened) return give_up(std::move(opened).error());
  // Before a cluster is made: what cannot serve must not have had its first start.
  if (auto listens = impl->listen(); !listens) return give_up(std::move(listens).error());
  if (auto live = impl->go_live(); !live) return give_up(std::move(live).error());
  TRYV(impl->begin_alerting());
  // Each is a line: what only the leader does.
  impl->jobs.add("make the cluster",
                 [node = impl.get()](const std::stop_token& stop, consensus::Term) { node->make_cluster(stop); });
  if (archive::Archive* archive = impl->archive.get()) {
    impl->jobs.add("write the archive", [archive](const std::stop_token& stop, consensus::Term) {
      go_to_background();
      archive->write(stop);
    });
  }
  if (Backups* backups = impl->backups.get()) {
    impl->jobs.add("backups", [backups](const std::stop_token& stop, consensus::Term) {
      go_to_idle();
      backups->run(stop);
    });
  }
  impl->jobs.add("forget history", [node = impl.get()](const std::stop_token& stop, consensus::Term) {
    forget_history({.log = *node->log,
                    .queries = *node->queries,
                    .archive = node->archive.get(),
                    .clock = node->clock,
                    .releases = node->settings.history.releases,
                    .audit = node->settings.history.audit},
                   stop);
  });
  if (impl->edge) {
    impl->jobs.add("edge copy", [edge = impl->edge.get()](const std::stop_token& stop, consensus::Term term) {
      edge->write(stop, term);
    });
  }
  if (impl->upkeep) {
    impl->upkeep_thread = std::jthread([upkeep = &*impl->upkeep](const std::stop_token& stop) {
      go_to_background();
      upkeep->run(stop);
    });
  }
  impl->jobs.start();
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

std::uint16_t Node::port() const {
  return impl_->port;
}
std::uint16_t Node::metrics_port() const {
  return impl_->metrics_port;
}

std::string Node::waits_for() const {
  return impl_->shared->waits_for();
}
std::string Node::cluster_id() const {
  return impl_->cluster_id();
}
std::uint64_t Node::leader() const {
  return impl_->log->status().leader_id;
}

Result<> Node::reload_tls() {
  const auto clients = impl_->shared->tls ? impl_->shared->tls->reload() : Result<>();
  const auto nodes = impl_->log->reload_tls();
  return clients ? nodes : clients;
}

void Node::hand_over(std::move_only_function<void()> then) {
  const consensus::Status log = impl_->log->status();
  const auto votes = [](const auto& server) { return server.membership == consensus::Membership::voter; };
  if (log.role != consensus::Role::leader || std::ranges::count_if(log.servers, votes) < 2) return then();
  impl_->log->change({.kind = consensus::Change::Kind::step_down}, 2 * impl_->settings.raft.election_timeout,
                     [then = std::move(then)](const Result<>& done) mutable {
                       if (!done) kLog.warn("leadership was not handed over", {{"reason", done.error()}});
                       then();
                     });
}

std::chrono::milliseconds Node::leave() {
  for (const auto& thread : impl_->threads)
    thread->leave();
  const bool asked_for = impl_->settings.origin.at("server.drain") != "default";
  const bool alone = impl_->log->status().servers.size() < 2;
  return alone && !asked_for ? std::chrono::milliseconds(0) : impl_->settings.server.drain;
}

void Node::stop() {
  impl_->stop();
}

}  // namespace cc::node
