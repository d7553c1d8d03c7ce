#include <fmt/format.h>

#include "consensus/folder.h"
#include "consensus/log.h"
#include "consensus/members.h"
#include "consensus/storage_for_now.h"

namespace cc::consensus {
namespace {

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
