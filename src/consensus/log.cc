#include "consensus/log.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"
#include "consensus/errands.h"
#include "consensus/folder.h"
#include "consensus/founding.h"
#include "consensus/group.h"
#include "consensus/neighbours.h"
#include "consensus/network.h"
#include "consensus/pipeline.h"
#include "consensus/proposals.h"
#include "consensus/say.h"

namespace cc::consensus {
namespace {

Error shut_down() {
  return {Code::unavailable, "the node is shutting down: try another one, or this one again in a moment"};
}

}  // namespace

std::string_view to_string(Role role) noexcept {
  switch (role) {
    case Role::unavailable:
      return "unavailable";
    case Role::follower:
      return "follower";
    case Role::candidate:
      return "candidate";
    case Role::leader:
      return "leader";
  }
  return "unavailable";
}

// The log thread: turns proposals into batches for the group, and batches that were committed into
// transactions of the state machine.
struct Log::Impl final : Group::Owner, Network::Receiver {
 public:
  Impl(Options options_, StateMachine& machine_, Observer observer_, Folder folder_)
      : options(std::move(options_)),
        machine(machine_),
        observer(std::move(observer_)),
        folder(std::move(folder_)),
        proposals(options.max_pending_bytes),
        snapshots(folder.path(), options.min_free_disk),
        pipeline(folder.path(), snapshots, machine, proposals, observer),
        errands(proposals, pipeline, [this](NodeId to, std::string bytes) {
          if (network_) network_->send(to, std::move(bytes));
        }) {}
  ~Impl() override = default;

  Result<> start();
  void stop();
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  void wake() { uv_async_send(&woken); }
  Result<> reload_tls() { return network_ ? network_->reload_tls() : Result<>(); }
  std::optional<Wall> certificate_expires() const { return network_ ? network_->certificate_expires() : std::nullopt; }

  const Options options;
  StateMachine& machine;
  const Observer observer;
  const Folder folder;
  Proposals proposals;
  Snapshots snapshots;
  Pipeline pipeline;
  Errands errands;
  std::atomic<bool> stopping = false;
  std::atomic<bool> snapshot_wanted = false;
  std::atomic<bool> stale = true;
  mutable std::mutex status_mutex;
  Status status;  // guarded by status_mutex

 private:
  enum class Phase { closed, open, closing, waiting };

  // Group::Owner
  Result<> apply(Index index, std::string_view command) override { return pipeline.committed(index, command); }
  Result<std::unique_ptr<StateMachine::Snapshot>> begin_snapshot() override;
  Result<> restore(const SnapshotReference& reference, bool verified) override {
    return pipeline.restore(reference, verified);
  }
  void failed(Error why) override {
    if (!broken_) broken_ = std::move(why);
  }
  void closed() override { closed_ = true; }
  void snapshot_taken() override {
    ++snapshots_taken_;
    measure();
  }
  void written(std::chrono::nanoseconds took) override { observer.written(took); }
  void send(NodeId to, const Message& message) override {
    if (network_) network_->send(to, encode(message));
  }
  void fetch(const Peer& from, const SnapshotReference& reference, const Path& into) override;

  // Network::Receiver; on the network's thread
  void received(NodeId from, std::string message) override {
    put([this, from, message = std::move(message)]() mutable { take(from, std::move(message)); });
  }
  void met(const Greeting& greeting) override {
    put([this, greeting] { take(greeting); });
  }
  void lost(NodeId node) override {
    put([this, node] { errands.ask_again(node); });
  }
  void refused(const Peer& by, const Error& why) override {
    put([this, by, why] { refused_by(by, why); });
  }

  void run();
  void before_waiting();
  void turn();
  Result<> open_group();
  Result<> check_members() const;
  void reopen();
  void begin_close(Error why);
  std::chrono::milliseconds reopen_delay() const {
    constexpr unsigned kMostDoublings = 3;
    return options.reopen_delay * (1u << std::min(failures_ - 1, kMostDoublings));
  }
  void tick();
  void look_at_role();
  void look_at_disk();
  void ask_an_heir();
  void measure();
  void publish();

  // The other nodes.
  void put(std::move_only_function<void()> event);
  void take_events();
  void take(NodeId from, std::string bytes);
  void take(const Greeting& greeting);
  void refused_by(const Peer& by, const Error& why);
  void form_or_join();

  std::thread thread_;
  std::promise<Result<>> opened_;
  bool opened_once_ = false;

  std::mutex events_mutex_;
  std::vector<std::move_only_function<void()>> events_;  // guarded by events_mutex_

  // Everything below belongs to the log thread.
  uv_loop_t loop_{};
  uv_async_t woken{};
  uv_timer_t reopening_{}, watching_{}, committing_{}, ticking_{};
  uv_prepare_t before_waiting_{};
  uv_check_t after_waiting_{};
  std::unique_ptr<Network> network_;  // from open() until stop() the same
  std::unique_ptr<Group> group_;
  Phase phase_ = Phase::closed;
  bool closed_ = false;          // the group has said so
  std::optional<Error> broken_;  // why the group must be closed
  unsigned failures_ = 0;        // since it was open last
  std::string trouble_;
  Role role_ = Role::unavailable;
  bool only_voter_ = false;  // when the group was open last
  bool disk_full_ = false;
  bool refuses_ = false;          // proposals, because of that
  Mono asked_heir_{};             // to lead instead, because of that; the last
  std::set<NodeId> asked_heirs_;  // of this minute
  std::uint64_t elections_ = 0, snapshots_taken_ = 0;
  std::uint64_t log_bytes_ = 0, snapshot_bytes_ = 0;

  Neighbours neighbours_{options, machine};
};

// --- the thread ---

Result<> Log::Impl::start() {
  if (const int error = uv_loop_init(&loop_); error != 0) {
    return fail(Code::unavailable, fmt::format("cannot start the log: {}", uv_strerror(error)));
  }
  loop_.data = this;
  uv_async_init(&loop_, &woken, [](uv_async_t*) {});
  uv_timer_init(&loop_, &reopening_);
  uv_timer_init(&loop_, &watching_);
  uv_timer_init(&loop_, &committing_);
  uv_timer_init(&loop_, &ticking_);
  uv_prepare_init(&loop_, &before_waiting_);
  uv_check_init(&loop_, &after_waiting_);
  proposals.close({Code::unavailable, "the log is being opened: try again in a moment"});
  auto opened = opened_.get_future();
  thread_ = std::thread([this] { run(); });
  return opened.get();
}

void Log::Impl::stop() {
  stopping = true;
  wake();
  thread_.join();
}

void Log::Impl::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are for the main thread; libuv's workers inherit this
  pthread_setname_np(pthread_self(), "cc-log");

  uv_prepare_start(&before_waiting_,
                   [](uv_prepare_t* handle) { static_cast<Impl*>(handle->loop->data)->before_waiting(); });
  uv_check_start(&after_waiting_, [](uv_check_t* handle) { static_cast<Impl*>(handle->loop->data)->turn(); });
  const auto interval = static_cast<std::uint64_t>(
      std::clamp(options.reopen_delay, std::chrono::milliseconds(1), std::chrono::milliseconds(1000)).count());
  uv_timer_start(
      &watching_, [](uv_timer_t* timer) { static_cast<Impl*>(timer->loop->data)->measure(); }, interval, interval);
  // Alone there is nothing to be on time for but deadlines.
  const bool alone = options.secret.empty();
  const auto often = static_cast<std::uint64_t>(
      std::max<std::int64_t>(1, (alone ? options.heartbeat_interval : options.heartbeat_interval / 4).count()));
  uv_timer_start(&ticking_, [](uv_timer_t* timer) { static_cast<Impl*>(timer->loop->data)->tick(); }, often, often);

  measure();
  auto opened = open_group();
  if (opened) opened = check_members();
  if (opened && !options.secret.empty()) {
    auto network = listen_on_tcp({.listen = options.listen.empty() ? options.address : options.listen,
                                  .secret = options.secret,
                                  .tls_certificate_file = options.tls_certificate_file,
                                  .tls_key_file = options.tls_key_file,
                                  .tls_ca_file = options.tls_ca_file,
                                  .files = snapshots.folder(),
                                  .timeout = options.election_timeout},
                                 neighbours_.greeting(group_.get()), *this);
    if (network) {
      network_ = *std::move(network);
      tick();
    } else {
      opened = std::unexpected(std::move(network).error());
    }
  }
  if (opened) {
    opened_once_ = true;
    publish();
    opened_.set_value({});
  } else {
    stopping = true;  // the first time, it is for the caller to decide what to do
    begin_close(opened.error());
  }
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
  if (!opened) opened_.set_value(std::move(opened));
}

void Log::Impl::before_waiting() {
  if (group_) group_->check();
  turn();
}

// Runs before and after the loop waits for something to happen.
void Log::Impl::turn() {
  take_events();
  if (phase_ == Phase::open) {
    look_at_role();
    if (!broken_ && !stopping) {
      if (snapshot_wanted && group_->take_snapshot()) snapshot_wanted = false;
      if (refuses_ || (role_ == Role::leader && !proposals.empty())) look_at_disk();
      if (group_->leader() != status.leader_id) publish();  // for those whom errands answers that
      errands.run(*group_, !disk_full_, std::chrono::steady_clock::now());
      group_->flush();
    }
    // After that: the disk writes the next batch while this one is applied.
    if (!broken_) {
      pipeline.reached(group_->applied());
      const bool commit_now = pipeline.commit_is_due() || pipeline.somebody_wants_it_settled();
      auto done = commit_now ? pipeline.commit() : pipeline.deliver();
      if (!done) failed(std::move(done).error());
    }
    if (broken_ || stopping) {
      // What the group has committed is done, whatever else failed. When it is this that failed, it fails again.
      const Result<> done = pipeline.commit();
      begin_close(broken_ ? *broken_ : done ? shut_down() : done.error());
    }
    publish();
  }
  if (pipeline.settled()) {
    uv_timer_stop(&committing_);
    pipeline.tell_settled({});
  } else if (phase_ != Phase::open) {
    pipeline.tell_settled(fail(Code::unavailable, trouble_));
  } else if (uv_is_active(reinterpret_cast<uv_handle_t*>(&committing_)) == 0) {
    const auto often = static_cast<std::uint64_t>(Pipeline::kQuiet.count());
    uv_timer_start(
        &committing_, [](uv_timer_t*) {}, often, often);  // wakes the loop, whose turn looks whether it is due
  }
  if (phase_ == Phase::closing && closed_) {
    group_.reset();
    phase_ = Phase::closed;
    if (!stopping) {
      phase_ = Phase::waiting;
      uv_timer_start(
          &reopening_, [](uv_timer_t* timer) { static_cast<Impl*>(timer->loop->data)->reopen(); },
          static_cast<std::uint64_t>(reopen_delay().count()), 0);
    }
  }
  if (stopping && (phase_ == Phase::closed || phase_ == Phase::waiting)) {
    phase_ = Phase::closed;
    errands.give_up(shut_down());
    network_.reset();  // it wakes this loop
    for (auto* handle : {reinterpret_cast<uv_handle_t*>(&woken), reinterpret_cast<uv_handle_t*>(&reopening_),
                         reinterpret_cast<uv_handle_t*>(&watching_), reinterpret_cast<uv_handle_t*>(&committing_),
                         reinterpret_cast<uv_handle_t*>(&ticking_), reinterpret_cast<uv_handle_t*>(&before_waiting_),
                         reinterpret_cast<uv_handle_t*>(&after_waiting_)}) {
      if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
    }
  }
}

void Log::Impl::tick() {
  const Mono now = std::chrono::steady_clock::now();
  errands.expire(now);
  pipeline.expire(now);
  if (phase_ != Phase::open || broken_ || stopping) return;
  form_or_join();
  if (!group_->empty()) neighbours_.waits_no_more();
  group_->tick();
  neighbours_.correct_addresses(*group_);
  if (network_) neighbours_.connect(*network_, *group_);
}

// --- opening and closing ---

Result<> Log::Impl::open_group() {
  closed_ = false;
  broken_.reset();
  pipeline.begin();
  group_ = std::make_unique<Group>(loop_, options, folder, snapshots, *this);
  TRYV(group_->open(pipeline.applied() == 0));
  if (group_->empty() && !options.join && options.peers.size() <= 1) TRYV(group_->form(founders_of(options)));
  Status now;
  group_->fill(now);
  if (!group_->empty()) TRYV(pipeline.belongs_to_log(now.snapshot, now.last, group_->only_voter()));
  TRYV(pipeline.commit());
  failures_ = 0;
  phase_ = Phase::open;
  trouble_.clear();
  proposals.open();
  look_at_role();
  look_at_disk();
  return {};
}

// What the settings say against what the log says, which decides.
Result<> Log::Impl::check_members() const {
  const Members& members = group_->members();
  if (members.all.size() > 1 && options.secret.empty()) {
    return fail(
        Code::invalid_argument,
        fmt::format("this node is one of a group ({}) and has no raft.secret, so the others do not speak to it: "
                    "set it, the same as theirs",
                    names_of(members)));
  }
  for (const Peer& peer : options.peers) {
    if (members.empty() || members.find(peer.id) != nullptr) continue;
    log.warn(
        "raft.peers names a node that the group does not have; it is only for a group that is made. To add it: "
        "config-center cluster add",
        {{"node", peer.id}, {"address", peer.address}, {"group", names_of(members)}});
  }
  return {};
}

void Log::Impl::begin_close(Error why) {
  phase_ = Phase::closing;
  ++failures_;
  uv_timer_stop(&reopening_);
  // Any other code would tell the proposer that nothing was done, which is not known.
  const Error unknown{Code::unavailable, why.message};
  proposals.close(unknown);
  if (role_ == Role::leader) observer.leads(false, group_->term());
  role_ = Role::unavailable;
  disk_full_ = refuses_ = false;
  trouble_ = why.message;
  errands.give_up(unknown);
  const std::size_t lost = pipeline.roll_back(unknown) + proposals.give_up_waiting(unknown);
  if (opened_once_ && !stopping) {
    log.error("the log stopped; it will be opened again",
              {{"error", why}, {"after_ms", reopen_delay().count()}, {"lost", lost}});
  }
  closed_ = false;
  group_->close();
  publish();
}

void Log::Impl::reopen() {
  if (stopping) return;
  if (auto opened = open_group(); opened) {
    log.info("the log is open again", {{"last", group_->last()}});
  } else {
    begin_close(opened.error());
  }
  publish();
}

Result<std::unique_ptr<StateMachine::Snapshot>> Log::Impl::begin_snapshot() {
  auto snapshot = pipeline.begin_snapshot();
  if (!snapshot && pipeline.failed()) failed(snapshot.error());
  return snapshot;
}

// --- the other nodes ---

void Log::Impl::put(std::move_only_function<void()> event) {
  bool first = false;
  {
    const std::lock_guard lock(events_mutex_);
    first = events_.empty();
    events_.push_back(std::move(event));
  }
  if (first) wake();
}

void Log::Impl::take_events() {
  std::vector<std::move_only_function<void()>> events;
  {
    const std::lock_guard lock(events_mutex_);
    events.swap(events_);
  }
  for (auto& event : events)
    event();
}

void Log::Impl::take(NodeId from, std::string bytes) {
  if (phase_ != Phase::open || broken_ || stopping) return;
  auto received = decode(std::move(bytes));
  if (!received) {
    log.warn("a message is not understood and was dropped", {{"node", from}, {"reason", received.error()}});
    return;
  }
  const Mono now = std::chrono::steady_clock::now();
  if (auto* message = std::get_if<Message>(&received->what)) {
    group_->receive(from, std::move(*message));
  } else if (const auto* request = std::get_if<Request>(&received->what)) {
    errands.take(*group_, from, *request, now);
  } else {
    errands.take(std::move(std::get<Reply>(received->what)), now);
  }
}

void Log::Impl::take(const Greeting& greeting) {
  neighbours_.met(greeting);
  errands.ask_again(
      greeting.node);  // what was asked, or the answer, may have been on the way when the connection ended
  if (phase_ != Phase::open || broken_) return;
  group_->met(greeting.node);
  form_or_join();
}

void Log::Impl::form_or_join() {
  if (!group_->empty()) return;
  if (auto outcome = neighbours_.form_or_join(*group_); !outcome) failed(std::move(outcome).error());
}

void Log::Impl::refused_by(const Peer& by, const Error& why) {
  const Group* const group = phase_ == Phase::open && !broken_ ? group_.get() : nullptr;
  if (neighbours_.refused(by, why, group)) observer.refused(why);
}

void Log::Impl::fetch(const Peer& from, const SnapshotReference& reference, const Path& into) {
  if (!network_) return;
  Peer leader = from;
  // It may have joined after the snapshot was taken, whose members are all that a new node knows.
  if (leader.address.empty()) leader.address = neighbours_.address_of(leader.id);
  network_->fetch(leader, snapshots.file(reference).filename().string(), into, [this, into](Result<> how) {
    put([this, into, how = std::move(how)]() mutable {
      if (group_) group_->fetched(into, std::move(how));
    });
  });
}

// --- watching and telling ---

void Log::Impl::look_at_role() {
  const Role role = group_->role();
  if (role == role_) return;
  const Role before = std::exchange(role_, role);
  Status now;
  group_->fill(now);
  log.info("role changed", {{"role", to_string(role)}, {"term", now.term}, {"leader", now.leader_id}});
  if (role == Role::leader) {
    ++elections_;
    observer.leads(true, now.term);
  } else if (before == Role::leader) {
    errands.stopped_leading(
        {Code::unavailable, "the node stopped leading before the change was committed: it may or may not be made"},
        group_->commit());
    observer.leads(false, now.term);
  }
}

// Who leads and has no room asks the others to lead, one after the other, who may have some. When nobody does, changes
// are refused, by whoever leads.
void Log::Impl::look_at_disk() {
  if (phase_ != Phase::open || broken_) return;
  const auto room = free_space(folder.path());
  const bool full = room && *room < options.min_free_disk;
  if (full != disk_full_) {
    disk_full_ = full;
    if (full) {
      trouble_ = fmt::format("only {} are free on the disk of {}, and changes are refused below {}: make room",
                             format_size(*room), folder.path().string(), format_size(options.min_free_disk));
      log.error("the disk is nearly full; changes are refused", {{"folder", folder.path().string()}, {"free", *room}});
    } else {
      trouble_.clear();
      log.info("there is room on the disk again; changes are taken");
    }
  }
  const bool leads = group_->role() == Role::leader;
  if (full && leads && !group_->transferring()) ask_an_heir();
  const bool refuse = full && leads && !group_->transferring();
  if (std::exchange(refuses_, refuse) == refuse) return;
  if (!refuse) return proposals.open();
  proposals.close({Code::unavailable, trouble_});
  proposals.give_up_waiting({Code::unavailable, trouble_});
}

void Log::Impl::ask_an_heir() {
  constexpr std::chrono::minutes kAskAgain{1};
  const Mono now = std::chrono::steady_clock::now();
  if (now - asked_heir_ >= kAskAgain) asked_heirs_.clear();
  for (const NodeId heir : group_->heirs()) {
    if (!asked_heirs_.insert(heir).second) continue;
    asked_heir_ = now;
    log.info("leadership is handed over to a node that may have room on its disk", {{"to", heir}});
    if (auto begun = group_->transfer(heir); !begun) {
      log.warn("leadership is not handed over to a node that may have room", {{"reason", begun.error()}});
    }
    return;
  }
}

void Log::Impl::measure() {
  log_bytes_ = folder.log_bytes();
  snapshot_bytes_ = snapshots.bytes_on_disk();
  look_at_disk();
}

void Log::Impl::publish() {
  const auto counts = proposals.counts();
  const std::lock_guard lock(status_mutex);
  status.node_id = options.node_id;
  if (phase_ == Phase::open) {
    group_->fill(status);
    only_voter_ = group_->only_voter();
  } else {
    status.role = Role::unavailable;
    status.leader_id = 0;
    status.leader_address.clear();
    status.stale = !only_voter_;
  }
  if (status.waits_for != neighbours_.waits_for()) status.waits_for = neighbours_.waits_for();
  stale.store(status.stale, std::memory_order_relaxed);
  status.log_bytes = log_bytes_;
  status.snapshot_bytes = snapshot_bytes_;
  status.elections = elections_;
  status.snapshots_taken = snapshots_taken_;
  status.proposals = counts.proposals;
  status.proposals_failed = counts.failed;
  status.pending = counts.pending;
  if (status.trouble != trouble_) status.trouble = trouble_;
}

// --- what others see ---

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Log>> Log::open(Options options, StateMachine& machine, Observer observer) {
  if (options.node_id == 0) return fail(Code::invalid_argument, "raft.node_id must be 1 or more");
  if (options.heartbeat_interval.count() < 1 || options.heartbeat_interval >= options.election_timeout) {
    return fail(Code::invalid_argument,
                fmt::format("raft.heartbeat_interval ({}) must be shorter than raft.election_timeout ({})",
                            format_duration(options.heartbeat_interval), format_duration(options.election_timeout)));
  }
  if (!options.peers.empty() && std::ranges::find(options.peers, options.node_id, &Peer::id) == options.peers.end()) {
    return fail(Code::invalid_argument,
                fmt::format("raft.peers does not name this node, {}: name all nodes of the group", options.node_id));
  }
  TRY(Folder folder, Folder::open(options.directory, options.node_id));
  auto impl = std::make_unique<Impl>(std::move(options), machine, std::move(observer), std::move(folder));
  if (auto started = impl->start(); !started) {
    impl->join();
    return std::unexpected(std::move(started).error());
  }
  return std::unique_ptr<Log>(new Log(std::move(impl)));
}

Log::~Log() {
  impl_->stop();
}

std::string_view to_string(Membership membership) noexcept {
  switch (membership) {
    case Membership::voter:
      return "voter";
    case Membership::observer:
      return "observer";
    case Membership::joining:
      return "joining";
  }
  return "voter";
}

void Log::propose(std::string command, Patience patience, Answer answer) {
  const Mono until = std::chrono::steady_clock::now() + patience;
  if (impl_->proposals.add(
          command, until, false,
          [answer = std::move(answer)](Result<std::string> outcome, Index) mutable { answer(std::move(outcome)); }))
    impl_->wake();
}

void Log::read_barrier(Patience patience, Then then) {
  impl_->errands.barrier(std::chrono::steady_clock::now() + patience, std::move(then));
  impl_->wake();
}

bool Log::stale() const noexcept {
  return impl_->stale.load(std::memory_order_relaxed);
}

void Log::change(Change change, Patience patience, Then then) {
  const bool adds = change.kind == Change::Kind::add || change.kind == Change::Kind::add_observer;
  if (adds && impl_->options.secret.empty()) {
    return then(fail(Code::invalid_argument,
                     "this node has no raft.secret, so it cannot talk to another one: set it, the same on all nodes, "
                     "start this node again, and then add the other one"));
  }
  impl_->errands.change(std::move(change), std::chrono::steady_clock::now() + patience, std::move(then));
  impl_->wake();
}

void Log::settle(Then then) {
  impl_->pipeline.when_settled(std::move(then));
  impl_->wake();
}

Result<> Log::settle(std::chrono::milliseconds patience) {
  if (impl_->pipeline.settled()) return {};
  const auto settled = std::make_shared<std::promise<Result<>>>();
  auto outcome = settled->get_future();
  settle([settled](Result<> how) { settled->set_value(std::move(how)); });
  if (outcome.wait_for(patience) != std::future_status::ready) {
    return fail(Code::timeout, fmt::format("the state was not written to disk within {}: look at the disk's load",
                                           format_duration(patience)));
  }
  return outcome.get();
}

Result<> Log::reload_tls() {
  return impl_->reload_tls();
}

std::optional<Wall> Log::certificate_expires() const {
  return impl_->certificate_expires();
}

Status Log::status() const {
  Status status;
  {
    const std::lock_guard lock(impl_->status_mutex);
    status = impl_->status;
  }
  const auto counts = impl_->proposals.counts();
  status.proposals = counts.proposals;
  status.proposals_failed = counts.failed;
  status.pending = counts.pending;
  return status;
}

void Log::snapshot_now() {
  impl_->snapshot_wanted = true;
  impl_->wake();
}

}  // namespace cc::consensus
