// Questions to the state that go to SQL: lists, history, search, audit. Thread-safe; each call takes
// a read-only connection from a small pool and sees one committed state. They block: call them on a
// worker, never on an I/O or log thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/deadline.h"
#include "base/file.h"
#include "base/result.h"
#include "model/grants.h"
#include "model/words.h"
#include "state/archived.h"

namespace cc::state {

class Database;

// Pages: `limit` items after the opaque `cursor` ("" is the start); `next` is "" on the last page.
struct PageRequest {
  std::size_t limit = 100;  // 1 … 1000
  std::string cursor;
};
template <class T>
struct Page {
  std::vector<T> items;
  std::string next;
};

struct ConfigFilter {
  std::string environment, application, cluster;  // "" is any
  std::string prefix;                             // of the name
  std::string text;                               // substring of the key, or of the content when in_content
  bool in_content = false;
};

struct AuditFilter {
  std::string actor, action, target_prefix, outcome;  // "" is any
  std::optional<Wall> from, to;                       // from <= time < to
};

// What a caller may see; lists hide the rest. Empty function: everything.
using Visible = std::function<bool(const ConfigKey&)>;

class Queries {
 public:
  // `settle` is called before each question, with the time that it may take: when it has returned, the file holds what
  // was acknowledged before.
  using Settle = std::function<Result<>(std::chrono::milliseconds)>;
  explicit Queries(Path file, std::size_t connections = 4, Settle settle = [](auto) { return Result<>(); });
  ~Queries();
  // The same, but what is asked of it ends at the deadline, with `timeout`.
  Queries until(Deadline deadline) const;

  Result<Page<ReleaseInfo>> configs(const ConfigFilter& filter, const PageRequest& page, const Visible& visible) const;
  // Newest first, of those whose number (state/feed.h) is greater. not_found when there never was such a config.
  Result<Page<ReleaseInfo>> history(const ConfigKey& key, const PageRequest& page, std::uint64_t newer_than = 0) const;
  Result<ReleasePtr> release(const ConfigKey& key, Version version) const;
  Result<Draft> draft(const ConfigKey& key) const;
  Result<Page<Draft>> drafts(const ConfigFilter& filter, const PageRequest& page,
                             const Visible& visible) const;  // without content

  Result<std::vector<Environment>> environments() const;
  Result<Page<Application>> applications(const PageRequest& page) const;
  Result<Application> application(const std::string& name) const;
  Result<std::vector<Cluster>> clusters(const std::string& environment,
                                        const std::string& application) const;  // "" is any

  // Newest first, of those whose number is greater.
  Result<Page<AuditRecord>> audit(const AuditFilter& filter, const PageRequest& page,
                                  std::uint64_t newer_than = 0) const;

  // What may be forgotten, oldest first: releases beyond the newest `versions` of each config, audit records from
  // before `audit_from`; nothing that the archive does not have, where there is one. So much at most.
  struct Forgettable {
    std::vector<std::uint64_t> releases;  // ids
    std::uint64_t audit_until = 0;        // ids up to there
    Archived archived;                    // as the state was told last
  };
  Result<Forgettable> forgettable(std::uint64_t versions, Wall audit_from, std::size_t at_most) const;

  // What costs nothing to count. As last committed: a node that cannot write any more can still be asked how it is.
  struct Counts {
    std::uint64_t environments, applications, releases, drafts, users, keys, audit_records;
  };
  Result<Counts> counts() const;

  // Of everything in the state, so that nodes can be held against each other: equal on all that have applied the log
  // up to the same entry. Reads all of it.
  struct Checksum {
    std::uint64_t applied = 0;  // Raft index of the newest command in it
    Revision revision = 0;
    std::string sha256;
  };
  Result<Checksum> checksum() const;

 private:
  struct Impl;
  Queries(std::shared_ptr<const Impl> impl, Deadline until);
  template <class Question>
  std::invoke_result_t<const Question&, Database&> ask(const Question& question) const;
  template <class Question>
  std::invoke_result_t<const Question&, Database&> ask_unsettled(const Question& question) const;

  std::shared_ptr<const Impl> impl_;
  Deadline until_;
};

}  // namespace cc::state
