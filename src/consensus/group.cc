#include "consensus/group.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "consensus/say.h"

namespace cc::consensus {
namespace {

constexpr std::uint64_t kMostBytesKept = 8u << 20;  // of entries that a snapshot has made unnecessary
constexpr std::uint64_t kRarelyAtMost = 4;          // times fewer snapshots of a large state
constexpr std::uint64_t kTimesApart = 8;            // nodes take their snapshots so much of the way to the next apart
constexpr std::uint64_t kBytesOfAnEntry = 64;       // that it takes to keep one, beside its content
constexpr std::size_t kMostHeld = 4096;             // messages that wait for the disk

Mono now() {
  return std::chrono::steady_clock::now();
}

void remove_quietly(const Path& file) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

}  // namespace

Group::Group(uv_loop_t& loop, const Options& options, const Folder& folder, Snapshots& snapshots, Owner& owner)
    : loop_(loop), options_(options), folder_(folder), snapshots_(snapshots), owner_(owner) {}

// --- opening and closing ---

Result<> Group::open(bool fresh) {
  TRY(const bool exists, folder_.prepare());
  TRYV(snapshots_.prepare());
  if (!exists && !fresh) {
    return fail(Code::corruption,
                fmt::format("there is a state but no log in {}: they belong together. Put the folder back, or move the "
                            "state away too and restore a backup, or let the node join its group again",
                            folder_.path().string()));
  }
  storage_ = std::make_unique<Storage>(loop_, folder_, *this);
  TRYV(storage_->open(options_.node_id, options_.address));
  empty_ = !exists;
  life_ = std::random_device{}();
  return load();
}

Result<> Group::form(const Members& members) {
  TRYV(storage_->bootstrap(members));
  empty_ = false;
  return load();
}

Result<> Group::load() {
  TRY(auto loaded, storage_->load());
  reference_ = std::move(loaded.reference);
  if (!reference_.empty()) {
    TRY(const SnapshotReference reference, SnapshotReference::decode(reference_));
    TRYV(owner_.restore(reference, false));
    snapshots_.found(reference);
    snapshot_size_ = reference.bytes;
  }
  applied_ = loaded.stored.snapshot.index;
  raft_ = std::make_unique<Raft>(Raft::Options{.self = options_.node_id,
                                               .election_timeout = options_.election_timeout,
                                               .heartbeat_interval = options_.heartbeat_interval,
                                               .seed = std::random_device{}()},
                                 std::move(loaded.stored), *this);
  TRYV(raft_->start(now()));
  apply();
  if (broken_) return fail(*broken_);
  return {};
}

void Group::close() {
  closing_ = true;
  held_.clear();
  if (storage_) {
    storage_->close();
  } else {
    owner_.closed();
  }
}

void Group::storage_closed() {
  owner_.closed();
}

void Group::need(Result<> outcome) {
  if (outcome || broken_) return;
  broken_ = std::move(outcome).error();
  owner_.failed(*broken_);
}

// --- what happens ---

// Cutting the log and putting a snapshot must not meet.
bool Group::may_be_told(const Message& message) const {
  return raft_->can_be_told(message, storage_->writing() || storage_->putting());
}

void Group::tick() {
  if (closing_ || broken_ || empty_) return;
  if (raft_->can_be_ticked(storage_->writing())) need(raft_->tick(now()));
}

void Group::ask_for_admission(NodeId of) {
  Message request;
  request.kind = Message::Kind::admission_request;
  request.round = life_;
  owner_.send(of, request);
}

void Group::receive(NodeId from, Message message) {
  if (closing_ || broken_) return;
  if (held_.empty() && may_be_told(message)) return take(from, std::move(message));
  if (held_.size() < kMostHeld) held_.emplace_back(from, std::move(message));  // who sent more sends it again
}

void Group::take(NodeId from, Message message) {
  if (empty_) {
    if (message.kind == Message::Kind::admission && message.round == life_) {
      need(raft_->admitted(from, message.term));
      empty_ = broken_.has_value();
      if (!empty_) log.info("the group takes this node in", {{"by", from}, {"term", message.term}});
    } else if (message.kind == Message::Kind::append) {
      ask_for_admission(from);  // it leads, or did
    }
    return;
  }
  need(raft_->receive(from, std::move(message), now()));
  apply();
}

void Group::met(NodeId node) {
  if (!closing_) raft_->met(node);
}

void Group::check() {
  if (storage_) storage_->check();
  if (closing_ || broken_ || !raft_) return;
  take_held();
  put_fetched();
}

void Group::take_held() {
  while (!held_.empty() && may_be_told(held_.front().second) && !broken_) {
    auto [from, message] = std::move(held_.front());
    held_.pop_front();
    take(from, std::move(message));
  }
}

void Group::flush() {
  if (closing_ || broken_ || !raft_) return;
  write();  // the disk is slower than the network: it begins first
  raft_->flush(now());
}

void Group::write() {
  if (broken_ || closing_ || storage_->writing() || raft_->last() <= raft_->on_disk()) return;
  if (installing_ && installing_->putting) return;
  std::vector<Entry> entries;
  entries.reserve(raft_->last() - raft_->on_disk());
  for (Index index = raft_->on_disk() + 1; index <= raft_->last(); ++index)
    entries.push_back(raft_->entry(index));
  writing_upto_ = raft_->last();
  need(storage_->append(std::move(entries)));
}

void Group::appended(Result<> how, std::chrono::nanoseconds took) {
  if (closing_) return;
  if (!how) return need(std::move(how));
  owner_.written(took);
  raft_->written(writing_upto_);
  apply();
  take_held();  // before a leader has the next batch written
}

void Group::apply() {
  while (!broken_ && !closing_ && applied_ < raft_->applicable()) {
    const Entry& entry = raft_->entry(applied_ + 1);
    if (entry.kind == EntryKind::command) {
      auto command = unframe(entry.bytes);
      need(command ? owner_.apply(applied_ + 1, *command) : Result<>(std::unexpected(std::move(command).error())));
      if (broken_) return;
    }
    ++applied_;
    bytes_applied_ += entry.bytes.size() + kBytesOfAnEntry;
  }
  if (snapshot_is_due()) begin_snapshot();
}

// --- leading ---

Index Group::append(const std::vector<Proposal>& batch) {
  std::vector<Entry> entries;
  entries.reserve(batch.size());
  for (const Proposal& proposal : batch)
    entries.push_back(proposal.entry);
  return raft_->append(entries);
}

bool Group::takes_proposals() const {
  return role() == Role::leader && raft_->takes_entries() && !storage_->writing() && !broken_;
}

Result<Index> Group::change(const Change& change) {
  return raft_->change(change, now());
}

std::vector<NodeId> Group::heirs() const {
  return raft_->heirs(now());
}

Result<> Group::transfer(NodeId to) {
  return raft_->transfer(to, now());
}

bool Group::stale() const {
  return role() == Role::unavailable || !raft_->heard_of_leader(now());
}

bool Group::hears_of(NodeId node) const {
  return raft_->follower(node, now()).reachable;
}

// --- snapshots ---

// A snapshot costs what the state is large: of a large one fewer are taken. The nodes of a group take theirs one after
// the other.
std::uint64_t Group::bytes_between_snapshots() const {
  const std::uint64_t bytes =
      std::clamp(snapshot_size_, options_.snapshot_after_bytes, kRarelyAtMost * options_.snapshot_after_bytes);
  const auto& members = raft_->members().all;
  const auto place = std::ranges::count_if(members, [&](const Member& one) { return one.id < options_.node_id; });
  return bytes + bytes * static_cast<std::uint64_t>(place) / kTimesApart;
}

bool Group::snapshot_is_due() const {
  if (taking_ || installing_ || broken_ || closing_ || storage_->putting()) return false;
  const Index entries = applied_ - raft_->snapshot().index;
  if (entries == 0) return false;
  const unsigned most = options_.snapshot_after_entries;
  return snapshot_wanted_ || (most != 0 && entries >= most) ||
         bytes_applied_ - bytes_at_snapshot_ >= bytes_between_snapshots();
}

bool Group::take_snapshot() {
  if (taking_ || installing_ || storage_->putting()) return false;
  snapshots_.begin_anyway();
  snapshot_wanted_ = true;
  if (snapshot_is_due()) begin_snapshot();
  snapshot_wanted_ = false;
  return true;
}

void Group::begin_snapshot() {
  if (!snapshots_.may_begin(snapshot_size_)) return;
  auto source = owner_.begin_snapshot();
  if (!source) return snapshots_.failed(source.error());
  if (!snapshots_.may_begin((*source)->bytes())) return;
  taking_ = std::make_unique<Taking>();
  taking_->source = *std::move(source);
  const auto [members, members_index] = raft_->members_at(applied_);
  taking_->point = {
      .index = applied_, .term = raft_->term_at(applied_), .members = members, .members_index = members_index};
  taking_->bytes_applied = bytes_applied_;
  storage_->run([this] { taking_->written = snapshots_.write(*taking_->source); }, [this] { snapshot_written(); });
}

void Group::snapshot_written() {
  taking_->source.reset();
  if (closing_) return taking_.reset();
  if (!*taking_->written) return end_snapshot(std::unexpected(taking_->written->error()));
  taking_->keep = entries_worth_keeping();
  auto begun = storage_->put_snapshot(taking_->point, (**taking_->written).encode(), taking_->keep);
  if (!begun) end_snapshot(std::move(begun));
}

void Group::snapshot_put(Result<> how) {
  if (installing_ && installing_->putting) {
    installing_->putting = false;
    if (closing_) return;
    need(how ? installed() : std::move(how));
    installing_.reset();
    return apply();
  }
  end_snapshot(std::move(how));
}

void Group::end_snapshot(Result<> how) {
  const std::unique_ptr<Taking> taken = std::move(taking_);
  if (closing_) return;
  if (!how) return snapshots_.failed(how.error());
  const SnapshotReference& reference = **taken->written;
  raft_->compact(taken->point.index, taken->point.term, taken->keep);
  reference_ = reference.encode();
  snapshots_.done(reference);
  bytes_at_snapshot_ = taken->bytes_applied;
  snapshot_size_ = reference.bytes;
  owner_.snapshot_taken();
  log.info("took a snapshot", {{"index", taken->point.index}, {"bytes", reference.bytes}});
}

// Of the entries that are in memory, as many of the newest as fit.
unsigned Group::entries_worth_keeping() const {
  unsigned count = 0;
  std::size_t bytes = 0;
  for (Index index = taking_->point.index; index >= raft_->first() && count < options_.trailing_entries; --index) {
    bytes += raft_->entry(index).bytes.size();
    if (bytes > kMostBytesKept) break;
    ++count;
  }
  return std::max(1u, count);  // 0 means something else to libraft: forget the whole log
}

void Group::install(NodeId from, const Message& message) {
  if (installing_) return;  // the leader offers it again
  auto reference = SnapshotReference::decode(message.reference);
  if (!reference) {
    log.warn("a leader offers a snapshot that cannot be used", {{"node", from}, {"reason", reference.error()}});
    return;
  }
  if (const auto room = snapshots_.room_for(reference->bytes); !room) {
    log.warn("a snapshot is not fetched from the leader, and this node stays behind",
             {{"node", from}, {"reason", room.error()}});
    return;
  }
  const Member* leader = message.snapshot.members.find(from);
  if (const Member* newer = raft_->members().find(from)) leader = newer;
  log.info("fetching a snapshot from the leader",
           {{"node", from}, {"index", message.snapshot.index}, {"bytes", reference->bytes}});
  installing_ = Installing{.point = message.snapshot, .reference = *reference, .beside = snapshots_.file_to_fetch()};
  owner_.fetch({.id = from, .address = leader == nullptr ? "" : leader->address}, *reference, installing_->beside);
}

void Group::fetched(const Path& into, Result<> how) {
  if (closing_ || !installing_ || installing_->beside != into) return remove_quietly(into);  // nobody waits for it
  if (!how) {
    log.warn("a snapshot was not fetched; the leader will offer it again", {{"reason", how.error()}});
    installing_.reset();
    return;
  }
  storage_->run([this] { installing_->verdict = snapshots_.verify(installing_->beside, installing_->reference); },
                [this] { fetched_and_verified(); });
}

void Group::fetched_and_verified() {
  if (closing_) return;
  installing_->sound = installing_->verdict.has_value();
  if (installing_->sound) return;
  log.error("the snapshot that was fetched is not what the leader says; it will be fetched again",
            {{"reason", installing_->verdict.error()}});
  remove_quietly(installing_->beside);
  installing_.reset();
}

void Group::put_fetched() {
  if (!installing_ || !installing_->sound || installing_->putting) return;
  // It may have come by the log meanwhile. More than that may have, and been vouched for.
  if (!raft_->lacks(installing_->point)) {
    remove_quietly(installing_->beside);
    installing_.reset();
    return;
  }
  if (taking_ || storage_->writing() || storage_->putting() || raft_->leads() || !raft_->is_on_disk()) return;
  const Path file = snapshots_.file(installing_->reference);
  auto moved = move_file(installing_->beside, file);
  auto begun = moved ? storage_->put_snapshot(installing_->point, installing_->reference.encode(), 0) : moved;
  if (!begun) return need(std::move(begun));
  installing_->putting = true;
}

Result<> Group::installed() {
  const SnapshotReference& reference = installing_->reference;
  TRYV(owner_.restore(reference, true));
  reference_ = reference.encode();
  snapshots_.done(reference);
  snapshot_size_ = reference.bytes;
  bytes_at_snapshot_ = bytes_applied_;
  applied_ = installing_->point.index;
  raft_->installed(installing_->point);
  return {};
}

// --- how it is ---

void Group::fill(Status& status) const {
  status.role = role();
  status.stale = stale();
  if (status.role == Role::unavailable) return;
  if (status.leader_id != raft_->leader() || status.leader_address.empty()) {
    status.leader_id = raft_->leader();
    const Member* leader = raft_->members().find(raft_->leader());
    status.leader_address = leader == nullptr ? "" : leader->address;
  }
  status.term = raft_->term();
  status.first = raft_->first();
  status.last = raft_->last();
  status.last_term = raft_->last_term();
  status.commit = raft_->commit();
  status.applied = applied_;
  status.snapshot = raft_->snapshot().index;
  const auto& members = raft_->members().all;
  if (!std::ranges::equal(members, status.servers, [](const Member& a, const Status::Server& b) {
        return a.id == b.id && a.address == b.address && a.membership == b.membership;
      })) {
    status.servers.clear();
    for (const Member& member : members)
      status.servers.push_back({.id = member.id, .address = member.address, .membership = member.membership});
  }
  const Mono at = now();
  for (Status::Server& server : status.servers) {
    const Raft::Follower follower = raft_->follower(server.id, at);
    const bool self = server.id == options_.node_id;
    server.reachable = self || follower.reachable;
    server.match = self ? raft_->on_disk() : follower.match;
  }
}

}  // namespace cc::consensus
