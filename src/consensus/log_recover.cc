#include <fmt/format.h>

#include "consensus/folder.h"
#include "consensus/log.h"
#include "consensus/members.h"
#include "consensus/storage.h"

namespace cc::consensus {
namespace {

// A storage with a loop of its own, for as long as a call takes.
class StorageForNow final : Storage::Owner {
 public:
  explicit StorageForNow(const Folder& folder) : storage_(loop_, folder, *this) {}
  Result<> open(const Options& options) {
    if (const int error = uv_loop_init(&loop_); error != 0)
      return fail(Code::unavailable, fmt::format("cannot open the log: {}", uv_strerror(error)));
    made_ = true;
    return storage_.open(options.node_id, options.address);
  }
  ~StorageForNow() override {
    if (!made_) return;
    storage_.close();
    while (!closed_) {
      uv_run(&loop_, UV_RUN_NOWAIT);
      storage_.check();
    }
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  Storage& operator*() { return storage_; }

 private:
  void appended(Result<>, std::chrono::nanoseconds) override {}
  void snapshot_put(Result<>) override {}
  void storage_closed() override { closed_ = true; }

  uv_loop_t loop_{};
  Storage storage_;
  bool made_ = false, closed_ = false;
};

Result<Folder> open_existing(const Options& options) {
  TRY(Folder folder, Folder::open(options.directory, options.node_id));
  TRY(const bool exists, folder.prepare());
  if (exists) return folder;
  return fail(Code::not_found, fmt::format("there is no log in {}: name the data folder of a node that was a member "
                                           "of the group",
                                           folder.path().string()));
}

Log::End end_of(const Raft::Stored& stored) {
  if (stored.entries.empty()) return {.term = stored.snapshot.term, .index = stored.snapshot.index};
  return {.term = stored.entries.back().term, .index = stored.first + stored.entries.size() - 1};
}

}  // namespace

Result<Log::End> Log::end_on_disk(const Options& options) {
  TRY(const Folder folder, open_existing(options));
  StorageForNow storage(folder);
  TRYV(storage.open(options));
  TRY(const auto loaded, (*storage).load());
  return end_of(loaded.stored);
}

Result<Log::End> Log::recover(const Options& options) {
  TRY(const Folder folder, open_existing(options));
  StorageForNow storage(folder);
  TRYV(storage.open(options));
  TRY(const auto loaded, (*storage).load());
  Members alone;
  alone.all.push_back({.id = options.node_id, .address = options.address});
  TRYV((*storage).append_members(alone));
  return end_of(loaded.stored);
}

}  // namespace cc::consensus
