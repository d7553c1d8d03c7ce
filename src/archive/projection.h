// Writes the feed of the state into the archive: what the leader does, and nobody else. Goes on where the archive says
// that it is, whoever wrote that; what it misses while the database is away it writes when that is back.
#pragma once

#include <atomic>
#include <mutex>
#include <stop_token>
#include <string>

#include "archive/pool.h"
#include "archive/servers.h"
#include "archive/writer.h"
#include "base/bell.h"
#include "base/clock.h"
#include "state/feed.h"

namespace cc::archive {

class Projection {
 public:
  // `committed` rings when the state has something new.
  Projection(Pool& pool, Servers& servers, Path state_file, Bell& committed, const Clock& clock);

  // Until it is asked to stop; then it ends soon. One thread at a time.
  void run(const std::stop_token& stop);

  // Thread-safe.
  struct Status {
    bool running = false;
    std::string trouble;
    std::optional<Position> position;
    std::uint64_t batches = 0, errors = 0, went_back = 0;
  };
  Status status() const;

 private:
  // Whether there is more to write, or somebody else has written meanwhile.
  enum class Step { more, all, moved_on };

  void await_cluster(const std::stop_token& stop);
  // Until something is wrong, or the archive is not as it was left: then it is begun again.
  Result<> write_all(const std::stop_token& stop);
  Result<Position> begin(Connection& connection);
  Result<Step> write_some(std::size_t server, Position& position, const std::stop_token& stop);
  Result<> check_history(const Position& position, const state::FeedBatch& batch) const;
  Result<bool> look_again(std::size_t server, const Position& position, const std::stop_token& stop);
  void note(const Position& position);
  void note_batch();

  Pool& pool_;
  Servers& servers_;
  state::Feed feed_;
  Bell& committed_;
  const Clock& clock_;
  Writer writer_;
  state::FeedLimits limits_;
  std::uint64_t newest_ = 0;     // release that there was at the last batch
  bool places_written_ = false;  // in this run
  state::FeedPosition highest_;  // that this node has seen
  mutable std::mutex mutex_;
  Status status_;  // guarded by mutex_
};

}  // namespace cc::archive
