#include "consensus/storage.h"

#include <cstdlib>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "consensus/say.h"

namespace cc::consensus {
namespace {

int role_of(Membership membership) {
  return membership == Membership::voter ? RAFT_VOTER : membership == Membership::observer ? RAFT_STANDBY : RAFT_SPARE;
}

Membership membership_of(int role) {
  return role == RAFT_VOTER ? Membership::voter : role == RAFT_STANDBY ? Membership::observer : Membership::joining;
}

// To be closed with raft_configuration_close(), also when it could not be made.
int configuration_of(const Members& members, raft_configuration& out) {
  raft_configuration_init(&out);
  int code = 0;
  for (const Member& member : members.all) {
    if (code == 0) code = raft_configuration_add(&out, member.id, member.address.c_str(), role_of(member.membership));
  }
  return code;
}

// libraft's own network is not used.
void talk_to_nobody(raft_uv_transport& transport) {
  transport.init = [](raft_uv_transport*, raft_id, const char*) { return 0; };
  transport.listen = [](raft_uv_transport*, raft_uv_accept_cb) { return 0; };
  transport.connect = [](raft_uv_transport*, raft_uv_connect*, raft_id, const char*, raft_uv_connect_cb) {
    return RAFT_NOCONNECTION;
  };
  transport.close = [](raft_uv_transport* self, raft_uv_transport_close_cb done) { done(self); };
}

}  // namespace

struct Storage::Running {
  raft_io_async_work request{};
  std::move_only_function<void()> work, done;
};

// libraft's callbacks, each back to the storage it belongs to.
struct Storage::Callbacks {
  static void appended(raft_io_append* request, int code) {
    auto& storage = *static_cast<Storage*>(request->data);
    storage.writing_ = false;
    storage.entries_.clear();
    storage.owner_.appended(code == 0 ? Result<>{} : fail(storage.failure(code, "write to the log")),
                            std::chrono::steady_clock::now() - storage.began_);
  }
  static void put(raft_io_snapshot_put* request, int code) {
    auto& storage = *static_cast<Storage*>(request->data);
    storage.putting_ = false;
    raft_configuration_close(&storage.snapshot_.configuration);
    storage.owner_.snapshot_put(code == 0 ? Result<>{} : fail(storage.failure(code, "write a snapshot")));
  }
  static int work(raft_io_async_work* request) {
    static_cast<Running*>(request->data)->work();
    return 0;
  }
  static void worked(raft_io_async_work* request, int) {
    const std::unique_ptr<Running> running(static_cast<Running*>(request->data));
    running->done();
  }
  static void closed(raft_io* io) { static_cast<Storage*>(io->data)->silent_ = true; }
};

Storage::Storage(uv_loop_t& loop, const Folder& folder, Owner& owner) : loop_(loop), folder_(folder), owner_(owner) {
  talk_to_nobody(nobody_);
  append_.data = this;
  put_.data = this;
}

Storage::~Storage() {
  if (made_) raft_uv_close(&io_);
}

Error Storage::failure(int code, std::string_view doing) const {
  std::string_view why = io_.errmsg;
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

Result<> Storage::open(NodeId self, const std::string& address) {
  if (const int code = raft_uv_init(&io_, &loop_, folder_.path().c_str(), &nobody_); code != 0) {
    return fail(failure(code, "open the log"));
  }
  made_ = true;
  io_.data = this;
  raft_uv_set_auto_recovery(&io_, false);
  raft_uv_set_snapshot_compression(&io_, false);  // hides damage from our checksum
  if (const int code = io_.init(&io_, self, address.c_str()); code != 0) return fail(failure(code, "open the log"));
  opened_ = true;
  return {};
}

Result<> Storage::bootstrap(const Members& members) {
  raft_configuration configuration;
  int code = configuration_of(members, configuration);
  if (code != 0) {
    raft_configuration_close(&configuration);
    return fail(Code::invalid_argument,
                fmt::format("raft.peers cannot be a group: {}; each needs an id and an address of its own",
                            raft_strerror(code)));
  }
  code = io_.bootstrap(&io_, &configuration);
  raft_configuration_close(&configuration);
  if (code != 0) return fail(failure(code, "make the log"));
  return {};
}

Result<> Storage::append_members(const Members& members) {
  raft_configuration configuration;
  int code = configuration_of(members, configuration);
  if (code == 0) code = io_.recover(&io_, &configuration);
  raft_configuration_close(&configuration);
  if (code != 0) return fail(failure(code, "write to the log"));
  return {};
}

Result<Storage::Loaded> Storage::load() {
  Loaded out;
  raft_term term = 0;
  raft_id vote = 0;
  raft_snapshot* snapshot = nullptr;
  raft_index first = 0;
  raft_entry* entries = nullptr;
  std::size_t count = 0;
  if (const int code = io_.load(&io_, &term, &vote, &snapshot, &first, &entries, &count); code != 0)
    return fail(failure(code, "read the log"));
  out.stored.term = term_ = term;
  out.stored.vote = vote;
  out.stored.first = first;
  if (snapshot != nullptr) {
    SnapshotPoint& point = out.stored.snapshot;
    point.index = snapshot->index;
    point.term = snapshot->term;
    point.members_index = snapshot->configuration_index;
    for (unsigned i = 0; i < snapshot->configuration.n; ++i) {
      const raft_server& server = snapshot->configuration.servers[i];
      point.members.all.push_back(
          {.id = server.id, .address = server.address, .membership = membership_of(server.role)});
    }
    for (unsigned i = 0; i < snapshot->n_bufs; ++i) {
      out.reference.append(static_cast<const char*>(snapshot->bufs[i].base), snapshot->bufs[i].len);
      raft_free(snapshot->bufs[i].base);
    }
    raft_free(snapshot->bufs);
    raft_configuration_close(&snapshot->configuration);
    raft_free(snapshot);
  }
  // Entries that were read in one piece share its memory.
  std::shared_ptr<const void> owner;
  const void* piece = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const raft_entry& entry = entries[i];
    if (owner == nullptr || entry.batch != piece) {
      piece = entry.batch;
      owner = std::shared_ptr<const void>(entry.batch, [](void* memory) { raft_free(memory); });
    }
    out.stored.entries.push_back({.term = entry.term,
                                  .kind = static_cast<EntryKind>(entry.type),
                                  .bytes = {static_cast<const char*>(entry.buf.base), entry.buf.len},
                                  .owner = owner});
  }
  raft_free(entries);
  if (const int code = io_.start(&io_, 60'000, [](raft_io*) {}, [](raft_io*, raft_message*) {}); code != 0)
    return fail(failure(code, "open the log"));
  return out;
}

void Storage::close() {
  if (opened_) {
    io_.close(&io_, &Callbacks::closed);
  } else {
    silent_ = true;
  }
}

void Storage::check() {
  if (!std::exchange(silent_, false) || std::exchange(told_, true)) return;
  owner_.storage_closed();
}

Result<> Storage::store(Term term, NodeId vote) {
  int code = term == term_ ? 0 : io_.set_term(&io_, term);
  if (code == 0) term_ = term;
  if (code == 0 && vote != 0) code = io_.set_vote(&io_, vote);
  if (code != 0) return fail(failure(code, "write term and vote"));
  return {};
}

Result<> Storage::append(std::vector<Entry> entries) {
  entries_ = std::move(entries);
  raft_entries_.clear();
  for (const Entry& entry : entries_) {
    raft_entry each{};
    each.term = entry.term;
    each.type = static_cast<unsigned short>(entry.kind);
    each.buf = {const_cast<char*>(entry.bytes.data()), entry.bytes.size()};
    raft_entries_.push_back(each);
  }
  writing_ = true;
  began_ = std::chrono::steady_clock::now();
  const int code = io_.append(&io_, &append_, raft_entries_.data(), static_cast<unsigned>(raft_entries_.size()),
                              &Callbacks::appended);
  if (code == 0) return {};
  writing_ = false;
  if (std::string_view(io_.errmsg).contains("io_submit")) {
    // libraft keeps what it has just freed, and would touch it when closed. Has no cause but a bug or a broken kernel.
    log.error("a write was refused by the system; ending the process, which loses nothing that was acknowledged",
              {{"error", failure(code, "write to the log")}});
    std::abort();
  }
  return fail(failure(code, "write to the log"));
}

Result<> Storage::truncate(Index from) {
  if (const int code = io_.truncate(&io_, from); code != 0) return fail(failure(code, "cut the log"));
  return {};
}

Result<> Storage::put_snapshot(const SnapshotPoint& point, std::string reference, unsigned keep) {
  reference_ = std::move(reference);
  buffer_ = {reference_.data(), reference_.size()};
  snapshot_ = {};
  snapshot_.index = point.index;
  snapshot_.term = point.term;
  snapshot_.configuration_index = point.members_index;
  snapshot_.bufs = &buffer_;
  snapshot_.n_bufs = 1;
  int code = configuration_of(point.members, snapshot_.configuration);
  if (code == 0) code = io_.snapshot_put(&io_, keep, &put_, &snapshot_, &Callbacks::put);
  if (code != 0) {
    raft_configuration_close(&snapshot_.configuration);
    return fail(failure(code, "write a snapshot"));
  }
  putting_ = true;
  return {};
}

void Storage::run(std::move_only_function<void()> work, std::move_only_function<void()> done) {
  auto running = std::make_unique<Running>();
  running->work = std::move(work);
  running->done = std::move(done);
  running->request.data = running.get();
  running->request.work = &Callbacks::work;
  auto* request = &running.release()->request;
  if (io_.async_work(&io_, request, &Callbacks::worked) == 0) return;
  // No memory, or no thread: both ways at once, here.
  Callbacks::work(request);
  Callbacks::worked(request, 0);
}

}  // namespace cc::consensus
