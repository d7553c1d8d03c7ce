#include <fmt/format.h>

#include "consensus/folder.h"
#include "consensus/founding.h"
#include "consensus/log.h"
#include "consensus/snapshots.h"
#include "consensus/storage_for_now.h"

namespace cc::consensus {
namespace {

// One that lies in a file already.
class Written final : public StateMachine::Snapshot {
 public:
  Written(Path file, Index index) : file_(std::move(file)), index_(index) {}
  StateMachine::Applied applied() const override { return {.index = index_}; }
  std::uint64_t bytes() const override { return 0; }
  Result<> write(const Path& to) override { return move_file(file_, to); }

 private:
  Path file_;
  Index index_;
};

}  // namespace

Result<> Log::begin_with(const Options& options, const Path& snapshot, const End& end) {
  TRY(const Folder folder, Folder::open(options.directory, options.node_id));
  TRY(const bool exists, folder.prepare());
  if (exists) {
    return fail(Code::already_exists,
                fmt::format("there is a log in {} already: a restored state begins a new one", folder.path().string()));
  }
  const Members founders = founders_of(options);
  if (founders.empty())
    return fail(Code::invalid_argument, "a node that joins a group takes its state from there, and not from a backup");
  const Snapshots snapshots(folder.path(), 0);
  TRYV(snapshots.prepare());
  Written written(snapshot, end.index);
  TRY(const SnapshotReference reference, snapshots.write(written));
  StorageForNow storage(folder);
  TRYV(storage.open(options));
  TRY(const auto nothing, (*storage).load());
  TRYV((*storage).store(end.term, 0));
  return storage.put_first_snapshot(
      {.index = end.index, .term = end.term, .members = founders, .members_index = end.index}, reference.encode());
}

}  // namespace cc::consensus
