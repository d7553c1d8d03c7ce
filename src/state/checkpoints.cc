#include "state/checkpoints.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>

#include <sqlite3.h>

#include "base/log.h"

namespace cc::state {
namespace {

const Logger kLog{"state"};

// A reader that has been looking at an old state for long keeps the log from beginning anew, whoever copies.
constexpr auto kPatience = std::chrono::milliseconds(100);

}  // namespace

Checkpoints::Checkpoints(const Path& file, Database& writer, Limits limits)
    : file_(file), writer_(writer), limits_(limits) {
  sqlite3_wal_hook(
      writer.handle(),
      [](void* self, sqlite3*, const char*, int frames) {
        static_cast<Checkpoints*>(self)->frames_ = frames;
        return SQLITE_OK;
      },
      this);
}

Checkpoints::~Checkpoints() {
  sqlite3_wal_hook(writer_.handle(), nullptr, nullptr);
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wanted_or_over_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Checkpoints::committed() {
  if (frames_ < wanted_at_) wanted_at_ = 0;  // the log has begun anew
  const bool nearly = frames_ >= limits_.too_many - limits_.copied_from / 2;
  if (frames_ - wanted_at_ < limits_.copied_from && !nearly) return;
  wanted_at_ = frames_;
  if (frames_ >= limits_.too_many) {
    if (const std::unique_lock alone(copying_, kPatience); alone) copy(writer_.handle());
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  wanted_or_over_.notify_one();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void Checkpoints::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "cc-checkpoint");
  try {
    const Database database(file_, Database::Access::write);
    for (std::unique_lock lock(mutex_);;) {
      wanted_or_over_.wait(lock, [&] { return wanted_ || over_; });
      if (over_) return;
      wanted_ = false;
      lock.unlock();
      {
        const std::lock_guard alone(copying_);
        copy(database.handle());
      }
      lock.lock();
    }
  } catch (const SQLite::Exception& failure) {
    // The writer copies, then.
    kLog.warn("checkpoints have no thread", {{"error", error_of(failure, file_)}});
  }
}

void Checkpoints::copy(sqlite3* connection) {
  const int outcome = sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (outcome == SQLITE_OK || outcome == SQLITE_BUSY) return;
  const SQLite::Exception failure(sqlite3_errmsg(connection), outcome);
  kLog.warn("the state could not be checkpointed; will try again after the next changes",
            {{"error", error_of(failure, file_)}});
}

}  // namespace cc::state
