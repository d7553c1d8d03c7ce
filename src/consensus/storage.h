// The log on disk: term and vote, entries in segments, and references to snapshots, written by libraft's I/O (files as
// LogCabin's) on a uv loop. Of libraft this is all that is used: see docs/decisions/0006.
//
// Everything happens on the log thread, on one uv loop. When anything fails the owner closes the storage and opens
// another one; it is never used again after a failure.
//
// libraft 0.15's I/O is handled with care, each point found by reading it:
//  * it says that it has closed while some of its handles have not, and may say so twice: close() waits for all.
//  * only one request to append is given to it at a time: when two writes fail it cuts its log twice and corrupts its
//    memory.
//  * cutting the log and putting a snapshot each close the open segments and wait for that: one at a time.
//  * its "auto recovery" is off: it sets damaged segments aside and goes on without the entries in them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "consensus/folder.h"
#include "consensus/raft.h"
#include "consensus/raft_api.h"

namespace cc::consensus {

class Storage {
 public:
  // Called on the log thread, never from within a call to the storage.
  class Owner {
   public:
    virtual ~Owner() = default;
    // The answer to append(), and how long it took until the disk had it.
    virtual void appended(Result<> how, std::chrono::nanoseconds took) = 0;
    virtual void snapshot_put(Result<> how) = 0;  // the answer to put_snapshot()
    virtual void storage_closed() = 0;            // the answer to close()
  };

  Storage(uv_loop_t& loop, const Folder& folder, Owner& owner);
  Storage(const Storage&) = delete;
  ~Storage();  // requires: never opened, or closed

  // requires: folder.prepare() was called. On an error close() it.
  Result<> open(NodeId self, const std::string& address);
  // Writes the first entry of a new log. requires: there is no log
  Result<> bootstrap(const Members& members);
  struct Loaded {
    Raft::Stored stored;
    std::string reference;  // to the snapshot; empty when there is none
  };
  Result<Loaded> load();  // after open(), and again after bootstrap(); before anything is written
  // For a stopped group: what load() would return, with one more entry, which says who is in the group.
  Result<> append_members(const Members& members);
  void close();  // Owner::storage_closed() follows

  Result<> store(Term term, NodeId vote);  // on disk when it returns
  // requires: !writing()
  Result<> append(std::vector<Entry> entries);
  Result<> truncate(Index from);  // requires: !writing(); an append() follows at once
  // requires: !writing() and !putting() for one that replaces the log (keep == 0)
  Result<> put_snapshot(const SnapshotPoint& point, std::string reference, unsigned keep);
  bool writing() const { return writing_; }
  bool putting() const { return putting_; }

  // Runs `work` on a thread of libuv's, then `done` on the log thread. close() waits for it.
  void run(std::move_only_function<void()> work, std::move_only_function<void()> done);

  // Before the loop waits, each time: ends a close().
  void check();

  Error failure(int code, std::string_view doing) const;

 private:
  struct Callbacks;
  struct Running;

  uv_loop_t& loop_;
  const Folder& folder_;
  Owner& owner_;
  raft_uv_transport nobody_{};
  raft_io io_{};
  bool made_ = false;    // raft_uv_init() done
  bool opened_ = false;  // io_.init() done: to be closed
  bool silent_ = false;  // libraft says that it has closed
  bool told_ = false;    // the owner, of that
  Term term_ = 0;        // on disk

  bool writing_ = false;
  raft_io_append append_{};
  std::chrono::steady_clock::time_point began_{};  // to append
  std::vector<Entry> entries_;                     // that are being written
  std::vector<raft_entry> raft_entries_;

  bool putting_ = false;
  raft_io_snapshot_put put_{};
  raft_snapshot snapshot_{};
  raft_buffer buffer_{};
  std::string reference_;
};

}  // namespace cc::consensus
