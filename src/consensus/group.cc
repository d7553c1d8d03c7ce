#include "consensus/group.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "consensus/say.h"

namespace cc::consensus {
namespace {

constexpr std::uint64_t kMostBytesKept = 8u << 20;  // of entries that a snapshot has made unnecessary
constexpr std::uint64_t kRarelyAtMost = 4;          // times fewer snapshots of a large state
constexpr std::uint64_t kBytesOfAnEntry = 64;       // that libraft needs to keep one, beside its content
constexpr unsigned kNeverByCount = ~0u;

Error stopped_leading() {
  return {Code::unavailable, "this node stopped leading before the change was committed: it may or may not be made"};
}

}  // namespace

// libraft's callbacks, each back to the group it belongs to.
struct Group::Callbacks {
  static Group& of(raft_fsm* machine) { return *static_cast<Group*>(machine->data); }

  static int apply(raft_fsm* machine, const raft_buffer* entry, void** result) {
    *result = nullptr;
    return of(machine).apply(*entry);
  }
  static int snapshot(raft_fsm* machine, raft_buffer**, unsigned*) { return of(machine).begin_snapshot(); }
  static int snapshot_async(raft_fsm* machine, raft_buffer** buffers, unsigned* count) {
    return of(machine).read_snapshot(buffers, count);
  }
  static int snapshot_finalize(raft_fsm* machine, raft_buffer**, unsigned*) {
    of(machine).end_snapshot();
    return 0;
  }
  static int restore(raft_fsm* machine, raft_buffer* file) { return of(machine).restore(*file); }

  // libraft calls this once for a whole batch: with 0 right after its first entry was applied, else on failure.
  static void appended(struct raft_apply* request, int code, void*) {
    auto& group = *static_cast<Group*>(request->data);
    if (code == 0) return;
    group.appending_ = false;
    if (code == RAFT_LEADERSHIPLOST) return group.owner_.not_appended(stopped_leading());
    Error error = group.failure(code, "write to the log");
    group.owner_.not_appended(error);
    group.owner_.failed(std::move(error));
  }
  static void barrier_done(struct raft_barrier* request, int code) {
    auto& group = *static_cast<Group*>(request->data);
    group.barrier_pending_ = false;
    if (code != 0 && code != RAFT_LEADERSHIPLOST) group.owner_.failed(group.failure(code, "write to the log"));
  }
  static Group& of(raft_io* io) { return *static_cast<Group*>(static_cast<raft*>(io->data)->data); }
  static void close_io(raft_io* io, raft_io_close_cb closed) {
    of(io).io_closed_ = closed;
    of(io).close_io_(io, [](raft_io* silent) { of(silent).io_silent_ = true; });
  }
  static void closed(raft* instance) {
    auto& group = *static_cast<Group*>(instance->data);
    group.raft_made_ = false;
    group.owner_.closed();
  }
};

Group::Group(uv_loop_t& loop, const Options& options, const Folder& folder, Snapshots& snapshots, Owner& owner)
    : loop_(loop), options_(options), folder_(folder), snapshots_(snapshots), owner_(owner) {
  machine_.version = 3;
  machine_.data = this;
  machine_.apply = &Callbacks::apply;
  machine_.snapshot = &Callbacks::snapshot;
  machine_.snapshot_async = &Callbacks::snapshot_async;
  machine_.snapshot_finalize = &Callbacks::snapshot_finalize;
  machine_.restore = &Callbacks::restore;
  raft_.data = this;
  apply_request_.data = this;
  barrier_request_.data = this;
}

Group::~Group() {
  if (io_made_) raft_uv_close(&io_);
}

Error Group::failure(int code, std::string_view doing) const {
  std::string_view why = raft_.errmsg;
  if (why.empty()) why = io_.errmsg;
  if (why.empty()) why = raft_strerror(code);
  const std::string where = folder_.path().string();
  if (code == RAFT_CORRUPT || code == RAFT_MALFORMED) {
    return {Code::corruption,
            fmt::format("cannot {} in {}: {}. The log is damaged: check the disk, then move the folder and the state "
                        "away and restore a backup, or let the node join its group again",
                        doing, where, why)};
  }
  if (code == RAFT_NOSPACE) {
    return {Code::unavailable, fmt::format("cannot {} in {}: {}. Make room on this disk", doing, where, why)};
  }
  return {Code::unavailable, fmt::format("cannot {} in {}: {}. Check the disk and its free space", doing, where, why)};
}

Result<> Group::open(bool fresh) {
  TRY(const bool exists, folder_.prepare());
  TRYV(snapshots_.prepare());
  TRY(transport_, make_transport(options_, loop_));
  if (const int code = raft_uv_init(&io_, &loop_, folder_.path().c_str(), transport_->get()); code != 0) {
    return fail(failure(code, "open the log"));
  }
  io_made_ = true;
  close_io_ = std::exchange(io_.close, &Callbacks::close_io);
  io_.version = 2;  // it has async_work, which 0.15 forgets to say
  raft_uv_set_auto_recovery(&io_, false);
  raft_uv_set_snapshot_compression(&io_, false);  // needs another copy in memory, and hides damage from our checksum
  if (const int code = raft_init(&raft_, &io_, &machine_, options_.node_id, options_.address.c_str()); code != 0) {
    return fail(failure(code, "open the log"));
  }
  raft_made_ = true;
  raft_set_election_timeout(&raft_, static_cast<unsigned>(options_.election_timeout.count()));
  raft_set_heartbeat_timeout(&raft_, static_cast<unsigned>(options_.heartbeat_interval.count()));
  raft_set_pre_vote(&raft_, true);
  raft_set_snapshot_trailing(&raft_, std::max(1u, options_.trailing_entries));
  reset_threshold();
  if (!exists) {
    if (!fresh) {
      return fail(
          Code::corruption,
          fmt::format("there is a state but no log in {}: they belong together. Put the folder back, or move the "
                      "state away too and restore a backup",
                      folder_.path().string()));
    }
    TRYV(bootstrap());
  }
  const int code = raft_start(&raft_);
  if (broken_) return fail(*broken_);
  if (code != 0) return fail(failure(code, "read the log"));
  return {};
}

Result<> Group::bootstrap() {
  raft_configuration configuration;
  raft_configuration_init(&configuration);
  int code = 0;
  if (options_.peers.empty()) {
    code = raft_configuration_add(&configuration, options_.node_id, options_.address.c_str(), RAFT_VOTER);
  }
  for (const Peer& peer : options_.peers) {
    if (code == 0) code = raft_configuration_add(&configuration, peer.id, peer.address.c_str(), RAFT_VOTER);
  }
  if (code != 0) {
    raft_configuration_close(&configuration);
    return fail(Code::invalid_argument,
                fmt::format("raft.peers cannot be a group: {}; each needs an id and an address of its own",
                            raft_strerror(code)));
  }
  code = raft_bootstrap(&raft_, &configuration);
  raft_configuration_close(&configuration);
  if (code != 0) return fail(failure(code, "make the log"));
  return {};
}

void Group::close() {
  closing_ = true;
  if (raft_made_) {
    raft_close(&raft_, &Callbacks::closed);
  } else {
    owner_.closed();
  }
}

Result<Index> Group::append(std::span<Frame> frames) {
  std::vector<raft_buffer> buffers;
  buffers.reserve(frames.size());
  for (const Frame& frame : frames)
    buffers.push_back(frame.buffer());
  const Index first = raft_last_index(&raft_) + 1;
  appending_ = true;
  appended_last_ = first + frames.size() - 1;
  const int code =
      raft_apply(&raft_, &apply_request_, buffers.data(), static_cast<unsigned>(buffers.size()), &Callbacks::appended);
  if (code != 0) {
    appending_ = false;
    if (code == RAFT_NOTLEADER) return fail(Code::unavailable, "this node does not lead its group");
    if (std::string_view(raft_.errmsg).contains("io_submit")) {
      // libraft keeps what it has just freed, and would touch it when closed. Has no cause but a bug or a broken
      // kernel.
      log.error("a write was refused by the system; ending the process, which loses nothing that was acknowledged",
                {{"error", failure(code, "write to the log")}});
      std::abort();
    }
    return fail(failure(code, "write to the log"));
  }
  for (Frame& frame : frames)
    frame.release();
  return first;
}

void Group::check() {
  if (io_silent_) {
    io_silent_ = false;
    return io_closed_(&io_);
  }
  if (closing_) return;
  // libraft gives up without a word when it cannot write what a vote or a message asks for.
  if (raft_made_ && raft_.state == RAFT_UNAVAILABLE) return owner_.failed(failure(RAFT_IOERR, "write the log"));
  if (!appending_ || role() == Role::leader) return;
  appending_ = false;
  owner_.not_appended(stopped_leading());
}

int Group::apply(const raft_buffer& entry) {
  if (broken_ || closing_) return RAFT_CANCELED;
  const Index index = raft_.last_applied + 1;
  auto command = unframe({static_cast<const char*>(entry.base), entry.len});
  auto applied = command ? owner_.apply(index, *command) : Result<>(std::unexpected(std::move(command).error()));
  if (!applied) {
    broken_ = std::move(applied).error();
    owner_.failed(*broken_);
    return RAFT_IOERR;
  }
  if (appending_ && index == appended_last_) appending_ = false;
  bytes_applied_ += entry.len + kBytesOfAnEntry;
  if (bytes_applied_ - bytes_at_snapshot_ >= bytes_between_snapshots()) raft_set_snapshot_threshold(&raft_, 1);
  return 0;
}

bool Group::take_snapshot() {
  if (raft_.snapshot.pending.term != 0 || raft_.snapshot.put.data != nullptr || busy()) return false;
  if (raft_.last_applied <= raft_.log.snapshot.last_index) return true;  // there is nothing new to keep
  snapshots_.begin_anyway();
  raft_set_snapshot_threshold(&raft_, 1);
  if (role() != Role::leader) return true;  // taken with the next entry that is applied
  barrier_pending_ = true;
  if (raft_barrier(&raft_, &barrier_request_, &Callbacks::barrier_done) != 0) barrier_pending_ = false;
  return true;
}

int Group::begin_snapshot() {
  if (broken_ || closing_) return RAFT_BUSY;
  if (!snapshots_.may_begin(snapshot_size_)) return RAFT_BUSY;
  auto source = owner_.begin_snapshot();
  if (!source) {
    snapshots_.failed(source.error());
    return RAFT_BUSY;
  }
  if (!snapshots_.may_begin((*source)->bytes())) return RAFT_BUSY;
  taking_ = std::make_unique<Taking>();
  taking_->source = *std::move(source);
  taking_->bytes_applied = bytes_applied_;
  raft_set_snapshot_trailing(&raft_, entries_worth_keeping());
  reset_threshold();
  return 0;
}

// On a thread of libuv's.
int Group::read_snapshot(raft_buffer** buffers, unsigned* count) {
  taking_->written = snapshots_.write(*taking_->source);
  taking_->source.reset();
  if (!*taking_->written) return RAFT_IOERR;
  taking_->reference = (*taking_->written)->encode();
  taking_->buffer = {taking_->reference.data(), taking_->reference.size()};
  *buffers = &taking_->buffer;
  *count = 1;
  return 0;
}

void Group::end_snapshot() {
  const std::unique_ptr<Taking> taken = std::move(taking_);
  const Index index = raft_.snapshot.pending.index;
  if (taken->written && *taken->written && raft_.log.snapshot.last_index == index) {
    const SnapshotReference& reference = **taken->written;
    snapshots_.done(reference);
    owner_.snapshot_taken();
    bytes_at_snapshot_ = taken->bytes_applied;
    snapshot_size_ = reference.bytes;
    reset_threshold();
    log.info("took a snapshot", {{"index", index}, {"bytes", reference.bytes}});
  } else if (!closing_) {
    snapshots_.failed(taken->written && !*taken->written ? taken->written->error()
                                                         : failure(RAFT_IOERR, "write a snapshot"));
  }
}

int Group::restore(raft_buffer& file) {
  if (closing_) return RAFT_CANCELED;
  const auto restore_it = [&]() -> Result<> {
    TRY(const SnapshotReference reference, SnapshotReference::decode({static_cast<const char*>(file.base), file.len}));
    TRYV(owner_.restore(reference));
    snapshots_.found(reference);
    snapshot_size_ = reference.bytes;
    return {};
  };
  if (auto restored = restore_it(); !restored) {
    broken_ = std::move(restored).error();
    owner_.failed(*broken_);
    return RAFT_IOERR;
  }
  reset_threshold();
  raft_free(file.base);  // ours, when 0 is returned
  return 0;
}

// Of the entries that are in memory, as many of the newest as fit.
unsigned Group::entries_worth_keeping() const {
  const raft_log& entries = raft_.log;
  unsigned count = 0;
  std::size_t bytes = 0;
  const std::size_t held = entries.size == 0 ? 0 : (entries.back + entries.size - entries.front) % entries.size;
  while (count < held && count < options_.trailing_entries) {
    const std::size_t at = (entries.back + entries.size - 1 - count) % entries.size;
    bytes += entries.entries[at].buf.len;
    if (bytes > kMostBytesKept) break;
    ++count;
  }
  return std::max(1u, count);  // 0 means something else to libraft: forget the whole log
}

// A snapshot costs what the state is large: of a large one fewer are taken.
std::uint64_t Group::bytes_between_snapshots() const {
  return std::clamp(snapshot_size_, options_.snapshot_after_bytes, kRarelyAtMost * options_.snapshot_after_bytes);
}

void Group::reset_threshold() {
  const unsigned entries = options_.snapshot_after_entries;
  raft_set_snapshot_threshold(&raft_, entries == 0 ? kNeverByCount : entries);
}

Role Group::role() const {
  if (!raft_made_ || closing_) return Role::unavailable;
  switch (raft_.state) {
    case RAFT_FOLLOWER:
      return Role::follower;
    case RAFT_CANDIDATE:
      return Role::candidate;
    case RAFT_LEADER:
      return Role::leader;
    default:
      return Role::unavailable;
  }
}

bool Group::only_voter() const {
  return std::ranges::count_if(std::span(raft_.configuration.servers, raft_.configuration.n),
                               [](const raft_server& server) { return server.role == RAFT_VOTER; }) == 1;
}

Index Group::last() const {
  return raft_.last_stored;
}

void Group::fill(Status& status) const {
  status.role = role();
  if (status.role == Role::unavailable) return;
  raft_id leader = 0;
  const char* address = nullptr;
  raft_leader(const_cast<raft*>(&raft_), &leader, &address);
  if (status.leader_id != leader || status.leader_address.empty()) {
    status.leader_id = leader;
    status.leader_address = address == nullptr ? "" : address;
  }
  status.term = raft_.current_term;
  status.first = raft_.log.offset + 1;
  status.last = raft_.last_stored;
  status.commit = raft_.commit_index;
  status.applied = raft_.last_applied;
  status.snapshot = raft_.log.snapshot.last_index;
  status.stale = status.role != Role::leader;
  const auto role_of = [](int role) {
    return role == RAFT_VOTER ? Membership::voter : role == RAFT_STANDBY ? Membership::observer : Membership::joining;
  };
  const std::span servers(raft_.configuration.servers, raft_.configuration.n);
  const bool same = std::ranges::equal(servers, status.servers, [&](const raft_server& a, const Status::Server& b) {
    return a.id == b.id && a.address == b.address && role_of(a.role) == b.membership;
  });
  if (same) return;
  status.servers.clear();
  for (const raft_server& server : servers) {
    status.servers.push_back({.id = server.id, .address = server.address, .membership = role_of(server.role)});
  }
}

}  // namespace cc::consensus
