#include "consensus/pipeline.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "consensus/say.h"
#include "consensus/take_if.h"

namespace cc::consensus {
namespace {

// A transaction of the machine ends at one of these, so that neither it nor a replay after a crash grows too long.
constexpr std::size_t kMostUncommitted = 8192;
constexpr std::size_t kMostBytesUncommitted = 16u << 20;
constexpr auto kLongestTransaction = std::chrono::milliseconds(250);

}  // namespace

Pipeline::Pipeline(Path folder, const Snapshots& snapshots, StateMachine& machine, Proposals& proposals,
                   const Observer& observer)
    : folder_(std::move(folder)),
      snapshots_(snapshots),
      machine_(machine),
      proposals_(proposals),
      observer_(observer) {}

// --- in flight ---

void Pipeline::sent(std::vector<Proposal> batch, Index first) {
  for (Proposal& proposal : batch)
    in_flight_.emplace_back(first++, std::move(proposal));
}

std::vector<Proposal> Pipeline::take_back(const Error& why) {
  std::vector<Proposal> mine;
  std::vector<Proposal> foreign;
  for (auto& [index, proposal] : std::exchange(in_flight_, {}))
    (proposal.foreign ? foreign : mine).push_back(std::move(proposal));
  proposals_.give_up(std::move(foreign), why);
  return mine;
}

// --- from the group ---

void Pipeline::begin() {
  recovered_ = machine_.applied();
  recognised_ = recovered_.index == 0;
  applied_ = reached_ = recovered_.index;
  settled_.store(applied_, std::memory_order_release);
}

std::unexpected<Error> Pipeline::of_another_log(std::string_view what, Index index) const {
  return fail(Code::corruption,
              fmt::format("the state says it applied a command at entry {}, where the {} in {} has {}: it is the state "
                          "of another log. Put back the state that belongs to it, or move the state away: it is made "
                          "again from the log",
                          recovered_.index, index == recovered_.index ? what : "log", folder_.string(),
                          index == recovered_.index ? "another" : "none"));
}

Result<> Pipeline::committed(Index index, std::string_view command) {
  if (index < recovered_.index) return {};
  if (index == recovered_.index) {
    recognised_ = crc32(command) == recovered_.crc;
    if (!recognised_) return of_another_log("log", index);
    return {};
  }
  // Before anything of it is applied: afterwards the state would seem to be of this log.
  if (!recognised_) return of_another_log("log", index);
  // What comes before it must not be rolled back with it again: it was acknowledged.
  if (index == stumbled_at_) TRYV(commit());
  Committed& one = committed_.emplace_back(index, std::string(command), std::nullopt);
  committed_bytes_ += command.size();
  if (!in_flight_.empty() && in_flight_.front().first == index) {
    one.proposal = std::move(in_flight_.front().second);
    in_flight_.pop_front();
  }
  if (committed_.size() >= kMostUncommitted || committed_bytes_ >= kMostBytesUncommitted) return commit();
  return {};
}

Result<> Pipeline::restore(const SnapshotReference& reference, bool verified) {
  TRYV(commit());
  const StateMachine::Applied now = machine_.applied();
  if (now.index > reference.applied.index) return {};
  if (now.index == reference.applied.index) {
    recognised_ = now.crc == reference.applied.crc;
    if (!recognised_) return of_another_log("snapshot", now.index);
    return {};
  }
  if (!verified) TRYV(snapshots_.verify(snapshots_.file(reference), reference));
  TRYV(unless_failed(machine_.restore(snapshots_.file(reference))));
  begin();
  if (recovered_.index != reference.applied.index || recovered_.crc != reference.applied.crc) {
    return fail(Code::corruption, fmt::format("the snapshot {} is of another state than the log says: restore a backup",
                                              snapshots_.file(reference).string()));
  }
  recognised_ = true;
  log.info("restored the state from a snapshot", {{"from", now.index}, {"to", recovered_.index}});
  return {};
}

Result<std::unique_ptr<StateMachine::Snapshot>> Pipeline::begin_snapshot() {
  TRYV(commit());
  TRY(auto snapshot, machine_.begin_snapshot());
  // The log before it will be forgotten: it must hold everything that was applied.
  if (snapshot->applied().index != applied_) {
    return fail(Code::internal,
                fmt::format("the snapshot is of entry {}, and {} is applied", snapshot->applied().index, applied_));
  }
  return snapshot;
}

Result<> Pipeline::belongs_to_log(Index snapshot, Index last, bool all) const {
  if (recovered_.index > last) {
    return fail(Code::corruption,
                fmt::format("the state has applied entry {} but the log in {} ends at {}: they do not belong together. "
                            "Copy both away first. Then put back the folder that belongs to the state, or restore both "
                            "from one backup",
                            recovered_.index, folder_.string(), last));
  }
  if (all && recovered_.index > snapshot && !recognised_) return of_another_log("log", last);
  return {};
}

// --- to the machine ---

Result<> Pipeline::unless_failed(Result<> outcome) {
  failed_ = !outcome;
  owes_delivery_ |= failed_;
  return outcome;
}

Result<> Pipeline::apply() {
  if (committed_.empty()) return {};
  batch_began_ = std::chrono::steady_clock::now();
  if (uncommitted_ == 0) transaction_began_ = batch_began_;
  committed_bytes_ = 0;
  auto batch = std::exchange(committed_, {});
  for (auto each = batch.begin(); each != batch.end(); ++each) {
    auto outcome = machine_.apply(each->index, each->command);
    if (!outcome) {
      stumbled_at_ = each->index;
      committed_.assign(std::move_iterator(each), std::move_iterator(batch.end()));  // for roll_back()
      return std::unexpected(std::move(outcome).error());
    }
    applied_ = each->index;
    ++applied_in_batch_;
    ++uncommitted_;
    uncommitted_bytes_ += each->command.size();
    if (each->proposal) answered_.push_back({*std::move(each->proposal), *std::move(outcome), each->index});
  }
  return {};
}

void Pipeline::when_delivered(Index index, Mono until, Log::Then then) {
  awaiting_.push_back({index, until, std::move(then)});
}

void Pipeline::expire(Mono now) {
  for (Awaiting& each : take_if(awaiting_, [now](const Awaiting& one) { return one.until <= now; }))
    each.then(fail(Code::unavailable, fmt::format("this node is behind: it has entry {} of the log, and {} is needed. "
                                                  "Try again, or ask another node",
                                                  applied_, each.index)));
}

Result<> Pipeline::deliver() {
  if (failed_) return fail(Code::internal, "the state machine has failed and was not rolled back");
  TRYV(unless_failed(apply()));
  const Index delivered_index = std::max(applied_, reached_);
  auto due = take_if(awaiting_, [&](const Awaiting& each) { return each.index <= delivered_index; });
  if (applied_in_batch_ == 0 && !owes_delivery_ && due.empty()) return {};
  struct Told {
    std::vector<Answered> answers;
    std::vector<Awaiting> awaiting;
  };
  auto told = std::make_shared<Told>();
  told->answers = std::exchange(answered_, {});
  told->awaiting = std::move(due);
  std::vector<Mono> since;
  std::uint64_t bytes = 0;
  for (const Answered& each : told->answers) {
    since.push_back(each.proposal.since);
    bytes += each.proposal.bytes;
  }
  // Both before it is answered: whoever is may propose as much again, or ask for what it wrote.
  proposals_.done(told->answers.size(), bytes);
  delivered_.store(applied_, std::memory_order_release);
  auto delivered = unless_failed(machine_.deliver([told] {
    for (Answered& each : told->answers)
      each.proposal.answer(std::move(each.outcome), each.index);
    for (Awaiting& each : told->awaiting)
      each.then({});
  }));
  if (!delivered) {
    proposals_.failed(told->answers.size());
    for (Answered& each : told->answers)
      each.proposal.answer(fail(Code::unavailable, delivered.error().message), 0);
    awaiting_.insert(awaiting_.end(), std::move_iterator(told->awaiting.begin()),
                     std::move_iterator(told->awaiting.end()));
    return delivered;
  }
  owes_delivery_ = false;
  const auto now = std::chrono::steady_clock::now();
  for (const Mono& each : since)
    observer_.committed(now - each);
  if (const std::size_t count = std::exchange(applied_in_batch_, 0); count > 0)
    observer_.applied(now - batch_began_, count);
  return {};
}

Result<> Pipeline::commit() {
  TRYV(deliver());
  if (uncommitted_ == 0) return {};
  TRYV(unless_failed(machine_.commit()));
  uncommitted_ = uncommitted_bytes_ = 0;
  settled_.store(applied_, std::memory_order_release);
  return {};
}

bool Pipeline::commit_is_due() const {
  if (uncommitted_ == 0) return false;
  if (uncommitted_ >= kMostUncommitted || uncommitted_bytes_ >= kMostBytesUncommitted) return true;
  const auto now = std::chrono::steady_clock::now();
  return now - batch_began_ >= kQuiet || now - transaction_began_ >= kLongestTransaction;
}

std::size_t Pipeline::roll_back(const Error& why) {
  machine_.roll_back();
  failed_ = false;
  std::vector<Proposal> lost;
  for (Answered& applied : std::exchange(answered_, {}))
    lost.push_back(std::move(applied.proposal));
  for (Committed& each : std::exchange(committed_, {})) {
    if (each.proposal) lost.push_back(*std::move(each.proposal));
  }
  for (auto& [index, proposal] : std::exchange(in_flight_, {}))
    lost.push_back(std::move(proposal));
  committed_bytes_ = applied_in_batch_ = uncommitted_ = uncommitted_bytes_ = 0;
  const std::size_t count = lost.size();
  proposals_.give_up(std::move(lost), why);
  return count;
}

// --- settling ---

void Pipeline::when_settled(Log::Then then) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(then));
}

bool Pipeline::somebody_wants_it_settled() const {
  const std::lock_guard lock(mutex_);
  return !waiting_.empty();
}

void Pipeline::tell_settled(const Result<>& outcome) {
  std::vector<Log::Then> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (Log::Then& each : waiting)
    each(outcome);
}

}  // namespace cc::consensus
