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

#include "base/bytes.h"
#include "base/text.h"
#include "consensus/folder.h"
#include "consensus/group.h"
#include "consensus/proposals.h"
#include "consensus/say.h"

namespace cc::consensus {
namespace {

using Moment = std::chrono::steady_clock::time_point;

// A replay is committed in pieces of this size, so that the state machine's transaction stays small.
constexpr std::size_t kMostAppliedAtOnce = 8192;
constexpr std::uint64_t kMostBytesAppliedAtOnce = 32u << 20;

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
        proposals(options.max_pending_bytes) {}
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
  std::atomic<bool> stopping = false;
  std::atomic<bool> snapshot_wanted = false;
  mutable std::mutex status_mutex;
  Status status;  // guarded by status_mutex

 private:
  enum class Phase { closed, open, closing, waiting };
  struct Answered {
    Proposal proposal;
    Result<std::string> outcome;
  };
  struct Committed {
    Index index;
    std::string command;
    std::optional<Proposal> proposal;  // when it is one of ours
  };

  // Group::Owner
  Result<> apply(Index index, std::string_view command) override;
  Result<std::unique_ptr<StateMachine::Snapshot>> begin_snapshot() override;
  Result<> restore(std::string_view snapshot) override;
  void not_appended(Error why) override;
  void failed(Error why) override;
  void closed() override { closed_ = true; }
  void snapshot_taken() override {
    ++snapshots_taken_;
    measure();
  }

  void run();
  void before_waiting();
  void turn();
  Result<> open_group();
  Result<> belongs_together() const;
  void reopen();
  void begin_close(Error why);
  void submit();
  Result<> apply_committed();
  Result<> commit();
  void give_up(std::vector<Proposal> given_up, const Error& why);
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
  uv_timer_t reopening_{}, watching_{};
  uv_prepare_t before_waiting_{};
  uv_check_t after_waiting_{};
  std::unique_ptr<Group> group_;
  Phase phase_ = Phase::closed;
  bool closed_ = false;          // the group has said so
  std::optional<Error> broken_;  // why the group must be closed
  std::string trouble_;
  Index first_in_flight_ = 0;  // index of in_flight_[0]
  std::vector<std::optional<Proposal>> in_flight_;
  std::vector<Committed> committed_;  // by the group; not applied yet
  std::uint64_t committed_bytes_ = 0;
  std::vector<Answered> answered_;  // applied; the machine's transaction is still open
  std::size_t uncommitted_ = 0;     // commands in the machine's open transaction
  Moment batch_began_;
  StateMachine::Applied recovered_;  // where the machine was when the group was opened
  bool recognised_ = false;          // the entry that the machine applied last was found in the log
  Role role_ = Role::unavailable;
  bool disk_full_ = false;
  std::uint64_t elections_ = 0, snapshots_taken_ = 0;
  Folder::Sizes sizes_;
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
      if (auto committed = commit(); !committed) failed(std::move(committed).error());
    }
    if (broken_ || stopping) begin_close(broken_ ? *broken_ : shut_down());
    publish();
  }
  if (phase_ == Phase::closing && closed_) {
    group_.reset();
    phase_ = Phase::closed;
    if (!stopping) {
      phase_ = Phase::waiting;
      uv_timer_start(
          &reopening_, [](uv_timer_t* timer) { static_cast<Impl*>(timer->loop->data)->reopen(); },
          static_cast<std::uint64_t>(options.reopen_delay.count()), 0);
    }
  }
  if (stopping && (phase_ == Phase::closed || phase_ == Phase::waiting)) {
    phase_ = Phase::closed;
    for (auto* handle : {reinterpret_cast<uv_handle_t*>(&woken), reinterpret_cast<uv_handle_t*>(&reopening_),
                         reinterpret_cast<uv_handle_t*>(&watching_), reinterpret_cast<uv_handle_t*>(&before_waiting_),
                         reinterpret_cast<uv_handle_t*>(&after_waiting_)}) {
      if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
    }
  }
}

// --- opening and closing ---

Result<> Log::Impl::open_group() {
  closed_ = false;
  broken_.reset();
  recognised_ = false;
  recovered_ = machine.applied();
  group_ = std::make_unique<Group>(loop_, options, folder, *this);
  TRYV(group_->open(recovered_.index == 0));
  TRYV(commit());
  TRYV(belongs_together());
  phase_ = Phase::open;
  trouble_.clear();
  look_at_role();
  look_at_disk();
  return {};
}

// A group of one has applied its whole log by now: what the machine had applied before must be in it.
Result<> Log::Impl::belongs_together() const {
  if (!group_->only_voter()) return {};
  Status now;
  group_->fill(now);
  if (recovered_.index > now.last) {
    return fail(Code::corruption,
                fmt::format("the state has applied entry {} but the log in {} ends at {}: they do not belong together. "
                            "Put back the folder that belongs to the state, or move the state away too (what the log "
                            "has is then applied again), or restore both from one backup",
                            recovered_.index, folder.path().string(), now.last));
  }
  if (recovered_.index > now.snapshot && !recognised_) {
    return fail(
        Code::corruption,
        fmt::format("the state says it applied a command at entry {}, where the log in {} has none: it is the "
                    "state of another log. Put back the state that belongs to it, or move the state away: it is "
                    "made again from the log",
                    recovered_.index, folder.path().string()));
  }
  return {};
}

void Log::Impl::begin_close(Error why) {
  phase_ = Phase::closing;
  uv_timer_stop(&reopening_);
  proposals.close({Code::unavailable, why.message});
  role_ = Role::unavailable;
  disk_full_ = false;
  trouble_ = why.message;
  machine.roll_back();

  std::vector<Proposal> lost;
  for (Answered& applied : std::exchange(answered_, {}))
    lost.push_back(std::move(applied.proposal));
  for (Committed& each : std::exchange(committed_, {})) {
    if (each.proposal) lost.push_back(*std::move(each.proposal));
  }
  committed_bytes_ = 0;
  uncommitted_ = 0;
  for (auto& proposal : std::exchange(in_flight_, {})) {
    if (proposal) lost.push_back(*std::move(proposal));
  }
  for (Proposal& proposal : proposals.drop())
    lost.push_back(std::move(proposal));
  if (opened_once_ && !stopping) {
    log.error("the log stopped; it will be opened again",
              {{"error", why}, {"after_ms", options.reopen_delay.count()}, {"lost", lost.size()}});
  }
  // Any other code would tell the proposer that nothing was done, which is not known.
  give_up(std::move(lost), {Code::unavailable, why.message});
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

void Log::Impl::failed(Error why) {
  if (!broken_) broken_ = std::move(why);
}

// --- proposing ---

void Log::Impl::submit() {
  if (role_ != Role::leader || group_->busy() || proposals.empty()) return;
  look_at_disk();
  if (disk_full_) return give_up(proposals.drop(), {Code::unavailable, trouble_});
  Batch batch = proposals.take();
  in_flight_.clear();
  for (Proposal& proposal : batch.proposals)
    in_flight_.emplace_back(std::move(proposal));
  auto first = group_->append(batch.frames);
  if (first) {
    first_in_flight_ = *first;
    return;
  }
  not_appended(first.error());
  if (group_->role() == Role::leader) failed(std::move(first).error());
}

void Log::Impl::not_appended(Error why) {
  std::vector<Proposal> lost;
  for (auto& proposal : std::exchange(in_flight_, {})) {
    if (proposal) lost.push_back(*std::move(proposal));
  }
  give_up(std::move(lost), why);
}

void Log::Impl::give_up(std::vector<Proposal> given_up, const Error& why) {
  std::uint64_t bytes = 0;
  for (const Proposal& proposal : given_up)
    bytes += proposal.bytes;
  proposals.done(given_up.size(), bytes);
  proposals.failed(given_up.size());
  for (Proposal& proposal : given_up)
    proposal.answer(std::unexpected(why));
}

// --- applying ---

Result<> Log::Impl::apply(Index index, std::string_view command) {
  if (index <= recovered_.index) {
    if (index < recovered_.index) return {};
    recognised_ = crc32(command) == recovered_.crc;
    if (recognised_) return {};
    return fail(
        Code::corruption,
        fmt::format("the state has applied another command at entry {} than the log in {} has there: it is the "
                    "state of another log. Put back the state that belongs to it, or move the state away: it is "
                    "made again from the log",
                    index, folder.path().string()));
  }
  Committed& one = committed_.emplace_back(index, std::string(command), std::nullopt);
  committed_bytes_ += command.size();
  if (index >= first_in_flight_ && index - first_in_flight_ < in_flight_.size()) {
    one.proposal = std::exchange(in_flight_[index - first_in_flight_], std::nullopt);
  }
  if (committed_.size() >= kMostAppliedAtOnce || committed_bytes_ >= kMostBytesAppliedAtOnce) return commit();
  return {};
}

Result<> Log::Impl::apply_committed() {
  if (committed_.empty()) return {};
  batch_began_ = std::chrono::steady_clock::now();
  committed_bytes_ = 0;
  auto batch = std::exchange(committed_, {});
  for (auto each = batch.begin(); each != batch.end(); ++each) {
    auto outcome = machine.apply(each->index, each->command);
    if (!outcome) {
      committed_.assign(std::move_iterator(each), std::move_iterator(batch.end()));  // begin_close() answers them
      return std::unexpected(std::move(outcome).error());
    }
    ++uncommitted_;
    if (each->proposal) answered_.push_back({*std::move(each->proposal), *std::move(outcome)});
  }
  return {};
}

// Applies what the group has committed, and ends the machine's transaction.
Result<> Log::Impl::commit() {
  TRYV(apply_committed());
  if (uncommitted_ == 0) return {};
  auto answers = std::make_shared<std::vector<Answered>>(std::exchange(answered_, {}));
  const std::size_t commands = std::exchange(uncommitted_, 0);
  std::vector<Moment> since;
  std::uint64_t bytes = 0;
  for (const Answered& each : *answers) {
    since.push_back(each.proposal.since);
    bytes += each.proposal.bytes;
  }
  proposals.done(answers->size(), bytes);  // first, so that whoever is answered may propose as much again
  auto committed = machine.commit([answers] {
    for (Answered& each : *answers)
      each.proposal.answer(std::move(each.outcome));
  });
  if (!committed) {
    proposals.failed(answers->size());
    for (Answered& each : *answers)
      each.proposal.answer(fail(Code::unavailable, committed.error().message));
    return committed;
  }
  const auto now = std::chrono::steady_clock::now();
  for (const Moment& each : since)
    observer.committed(now - each);
  observer.applied(now - batch_began_, commands);
  return {};
}

Result<std::unique_ptr<StateMachine::Snapshot>> Log::Impl::begin_snapshot() {
  if (auto committed = commit(); !committed) {
    failed(committed.error());
    return std::unexpected(std::move(committed).error());
  }
  return machine.begin_snapshot();
}

Result<> Log::Impl::restore(std::string_view snapshot) {
  TRYV(commit());
  TRY(const StateMachine::Applied in_snapshot, machine.applied_of(snapshot));
  const StateMachine::Applied now = machine.applied();
  if (now.index == in_snapshot.index && now.crc != in_snapshot.crc) {
    return fail(
        Code::corruption,
        fmt::format("the state has applied another command at entry {} than the snapshot in {}: it is the state "
                    "of another log. Put back the state that belongs to it, or move the state away: it is made "
                    "again from the snapshot",
                    now.index, folder.path().string()));
  }
  if (now.index >= in_snapshot.index) return {};
  TRYV(machine.restore(snapshot));
  recovered_ = machine.applied();
  log.info("restored the state from a snapshot", {{"from", now.index}, {"to", recovered_.index}});
  return {};
}

// --- watching and telling ---

void Log::Impl::look_at_role() {
  const Role role = group_->role();
  if (role == role_) return;
  role_ = role;
  if (role == Role::leader) ++elections_;
  Status now;
  group_->fill(now);
  log.info("role changed", {{"role", to_string(role)}, {"term", now.term}, {"leader", now.leader_id}});
  if (role == Role::leader) return proposals.open();
  const Error why{Code::unavailable, "this node does not lead its group now: try again, or ask another node"};
  proposals.close(why);
  give_up(proposals.drop(), why);
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
  sizes_ = folder.sizes();
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
  status.log_bytes = sizes_.log;
  status.snapshot_bytes = sizes_.snapshots;
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

void Log::propose(std::string command, Answer answer) {
  if (impl_->proposals.add(command, std::move(answer))) impl_->wake();
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
