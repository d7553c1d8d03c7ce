// How the edge copy is, as this node knows it: told by who writes it (on the leader) and by who looks at it (on every
// node), asked by everybody. Thread-safe; nobody waits for a server here.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "model/projection.h"

namespace cc::edge {

class Status {
 public:
  ProjectionStatus read() const {
    const std::lock_guard lock(mutex_);
    ProjectionStatus status = status_;
    status.trouble = !trouble_of_writing_.empty() ? trouble_of_writing_ : trouble_of_looking_;
    return status;
  }

  // `trouble` is told apart: see below.
  void change(const std::function<void(ProjectionStatus&)>& change) {
    const std::lock_guard lock(mutex_);
    change(status_);
  }
  // "" is none. Returns whether it is another one than before, so that each is logged once.
  bool writing_is_in(std::string trouble) { return replace(trouble_of_writing_, std::move(trouble)); }
  bool looking_is_in(std::string trouble) { return replace(trouble_of_looking_, std::move(trouble)); }

  // What was written, with everything up to that revision. What somebody saw who began to look before is older.
  void wrote(Revision revision, std::uint64_t lag_revisions, std::chrono::milliseconds lag) {
    const std::lock_guard lock(mutex_);
    ++writes_;
    status_.revision = revision;
    status_.lag_revisions = lag_revisions;
    status_.lag = lag;
  }
  std::uint64_t writes() const {
    const std::lock_guard lock(mutex_);
    return writes_;
  }
  void saw(std::uint64_t writes_before, Revision revision, std::uint64_t lag_revisions, std::chrono::milliseconds lag) {
    const std::lock_guard lock(mutex_);
    if (writes_ != writes_before) return;
    status_.revision = revision;
    status_.lag_revisions = lag_revisions;
    status_.lag = lag;
  }

 private:
  bool replace(std::string& trouble, std::string by) {
    const std::lock_guard lock(mutex_);
    if (trouble == by) return false;
    trouble = std::move(by);
    return true;
  }

  mutable std::mutex mutex_;
  ProjectionStatus status_;                              // guarded by mutex_
  std::string trouble_of_writing_, trouble_of_looking_;  // guarded by mutex_
  std::uint64_t writes_ = 0;                             // guarded by mutex_
};

}  // namespace cc::edge
