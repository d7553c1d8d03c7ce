#include "consensus/log.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"
#include "consensus/folder.h"
#include "consensus/group.h"
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
struct Log::Impl final : Group::Owner {
 public:
  Impl(Options options_, StateMachine& machine_, Observer observer_, Folder folder_)
      : options(std::move(options_)),
        machine(machine_),
        observer(std::move(observer_)),
        folder(std::move(folder_)),
        proposals(options.max_pending_bytes),
        snapshots(folder.path(), options.min_free_disk),
        pipeline(folder.path(), snapshots, machine, proposals, observer) {}
  ~Impl() override = default;

  Result<> start();
  void stop();
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  void wake() { uv_async_send(&woken); }

  const Options options;
  StateMachine& machine;
  const Observer observer;
  const Folder folder;
  Proposals proposals;
  Snapshots snapshots;
  Pipeline pipeline;
  std::atomic<bool> stopping = false;
  std::atomic<bool> snapshot_wanted = false;
  mutable std::mutex status_mutex;
  Status status;  // guarded by status_mutex

 private:
  enum class Phase { closed, open, closing, waiting };

  // Group::Owner
  Result<> apply(Index index, std::string_view command) override { return pipeline.committed(index, command); }
  Result<std::unique_ptr<StateMachine::Snapshot>> begin_snapshot() override;
  Result<> restore(const SnapshotReference& reference) override { return pipeline.restore(reference); }
  void not_appended(Error why) override { pipeline.not_sent(why); }
  void failed(Error why) override {
    if (!broken_) broken_ = std::move(why);
  }
  void closed() override { closed_ = true; }
  void snapshot_taken() override {
    ++snapshots_taken_;
    measure();
  }

  void run();
  void before_waiting();
  void turn();
  Result<> open_group();
  void reopen();
  void begin_close(Error why);
  std::chrono::milliseconds reopen_delay() const {
    constexpr unsigned kMostDoublings = 3;
    return options.reopen_delay * (1u << std::min(failures_ - 1, kMostDoublings));
  }
  void submit();
  void look_at_role();
  void look_at_disk();
  void measure();
  void publish();

  std::thread thread_;
  std::promise<Result<>> opened_;
  bool opened_once_ = false;

  // Everything below belongs to the log thread.
  uv_loop_t loop_{};
  uv_async_t woken{};
  uv_timer_t reopening_{}, watching_{}, committing_{};
  uv_prepare_t before_waiting_{};
  uv_check_t after_waiting_{};
  std::unique_ptr<Group> group_;
  Phase phase_ = Phase::closed;
  bool closed_ = false;          // the group has said so
  std::optional<Error> broken_;  // why the group must be closed
  unsigned failures_ = 0;        // since it was open last
  std::string trouble_;
  Role role_ = Role::unavailable;
  bool disk_full_ = false;
  std::uint64_t elections_ = 0, snapshots_taken_ = 0;
  std::uint64_t log_bytes_ = 0, snapshot_bytes_ = 0;
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

  measure();
  auto opened = open_group();
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
  if (phase_ == Phase::open) {
    look_at_role();
    if (!broken_ && !stopping) {
      if (snapshot_wanted && group_->take_snapshot()) snapshot_wanted = false;
      submit();
    }
    // After submit(): the disk writes the next batch while this one is applied.
    if (!broken_) {
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
    for (auto* handle :
         {reinterpret_cast<uv_handle_t*>(&woken), reinterpret_cast<uv_handle_t*>(&reopening_),
          reinterpret_cast<uv_handle_t*>(&watching_), reinterpret_cast<uv_handle_t*>(&committing_),
          reinterpret_cast<uv_handle_t*>(&before_waiting_), reinterpret_cast<uv_handle_t*>(&after_waiting_)}) {
      if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
    }
  }
}

// --- opening and closing ---

Result<> Log::Impl::open_group() {
  closed_ = false;
  broken_.reset();
  pipeline.begin();
  group_ = std::make_unique<Group>(loop_, options, folder, snapshots, *this);
  TRYV(group_->open(pipeline.applied() == 0));
  if (group_->only_voter()) {
    Status now;
    group_->fill(now);
    TRYV(pipeline.belongs_to_log(now.snapshot, now.last));
  }
  TRYV(pipeline.commit());
  failures_ = 0;
  phase_ = Phase::open;
  trouble_.clear();
  look_at_role();
  look_at_disk();
  return {};
}

void Log::Impl::begin_close(Error why) {
  phase_ = Phase::closing;
  ++failures_;
  uv_timer_stop(&reopening_);
  // Any other code would tell the proposer that nothing was done, which is not known.
  const Error unknown{Code::unavailable, why.message};
  proposals.close(unknown);
  if (role_ == Role::leader) observer.leads(false, status.term);
  role_ = Role::unavailable;
  disk_full_ = false;
  trouble_ = why.message;
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

// --- proposing ---

void Log::Impl::submit() {
  if (role_ != Role::leader || group_->busy() || proposals.empty()) return;
  look_at_disk();
  if (disk_full_) {
    proposals.give_up_waiting({Code::unavailable, trouble_});
    return;
  }
  Batch batch = proposals.take();
  pipeline.send(std::move(batch.proposals));
  auto first = group_->append(batch.frames);
  if (first) return pipeline.sent(*first);
  pipeline.not_sent(first.error());
  if (group_->role() == Role::leader) failed(std::move(first).error());
}

Result<std::unique_ptr<StateMachine::Snapshot>> Log::Impl::begin_snapshot() {
  auto snapshot = pipeline.begin_snapshot();
  if (!snapshot && pipeline.failed()) failed(snapshot.error());
  return snapshot;
}

// --- watching and telling ---

void Log::Impl::look_at_role() {
  const Role role = group_->role();
  if (role == role_) return;
  const bool led = role_ == Role::leader;
  role_ = role;
  if (role == Role::leader) ++elections_;
  Status now;
  group_->fill(now);
  log.info("role changed", {{"role", to_string(role)}, {"term", now.term}, {"leader", now.leader_id}});
  if (led || role == Role::leader) observer.leads(role == Role::leader, now.term);
  if (role == Role::leader) return proposals.open();
  const Error why{Code::unavailable, "this node does not lead its group now: try again, or ask another node"};
  proposals.close(why);
  proposals.give_up_waiting(why);
}

void Log::Impl::look_at_disk() {
  if (phase_ != Phase::open || broken_) return;
  const auto room = free_space(folder.path());
  const bool full = room && *room < options.min_free_disk;
  if (full == disk_full_) return;
  disk_full_ = full;
  if (!full) {
    trouble_.clear();
    log.info("there is room on the disk again; changes are taken");
    if (role_ == Role::leader) proposals.open();
    return;
  }
  trouble_ = fmt::format("only {} are free on the disk of {}, and changes are refused below {}: make room",
                         format_size(*room), folder.path().string(), format_size(options.min_free_disk));
  log.error("the disk is nearly full; changes are refused", {{"folder", folder.path().string()}, {"free", *room}});
  proposals.close({Code::unavailable, trouble_});
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
  } else {
    status.role = Role::unavailable;
    status.leader_id = 0;
    status.leader_address.clear();
  }
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

void Log::propose(std::string command, Patience, Answer answer) {
  if (impl_->proposals.add(command, std::move(answer))) impl_->wake();
}

void Log::read_barrier(Patience, Then then) {
  if (!stale()) return then({});
  then(fail(Code::unavailable, "there is no leader: try again in a moment"));
}

bool Log::stale() const noexcept {
  return status().role != Role::leader;
}

void Log::change(Change, Patience, Then then) {
  then(fail(Code::conflict, "provisional"));
}

Result<> Log::recover(const Options&) {
  return fail(Code::internal, "provisional");
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
