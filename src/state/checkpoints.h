// Copies what SQLite's write-ahead log holds back into the state's file, on a thread of its own, so that applying does
// not wait for it.
//
// The write-ahead log can begin anew only when all of it has been copied. While commits follow each other closely the
// thread is always one behind; so when the log has grown too long the committing thread copies the rest itself, which
// is small: before that the thread copies after each commit.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "state/database.h"

namespace cc::state {

class Checkpoints {
 public:
  // Pages of 4 KiB in the write-ahead log.
  struct Limits {
    int copied_from = 4'000;  // on the thread, each time that so many more have come
    int too_many = 24'000;    // by whoever commits
  };
  // `writer` is the connection that commits; it no longer copies by itself. Both outlive this.
  Checkpoints(const Path& file, Database& writer) : Checkpoints(file, writer, Limits{}) {}
  Checkpoints(const Path& file, Database& writer, Limits limits);
  ~Checkpoints();  // waits for a copying that runs
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;

  // The writer's thread, right after a commit.
  void committed();

 private:
  void run();
  void copy(sqlite3* connection);

  const Path& file_;
  Database& writer_;
  const Limits limits_;
  // The writer's thread:
  int frames_ = 0;     // in the write-ahead log after the last commit
  int wanted_at_ = 0;  // frames when it was to be copied last

  std::timed_mutex copying_;  // held while copying
  std::mutex mutex_;
  std::condition_variable wanted_or_over_;
  bool wanted_ = false, over_ = false;  // guarded by mutex_
  std::thread thread_;                  // started when it is needed first
};

}  // namespace cc::state
