// Records what changes no state but must be known: logins, refused attempts. Collected in memory from all
// I/O threads and proposed in batches, a few a second, so that a flood of refused requests cannot flood the log;
// of a batch, equal refusals are one record with their number, and beyond `at_most` records the rest is counted in one
// ("… and 2300 more"). A batch that the log does not take now
// is offered again, under the same request id, until it does.
//
// What a record says may come from anybody: it is made printable and cut here, so that neither its bytes nor its size
// can harm what keeps and shows it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "consensus/log.h"
#include "model/words.h"

namespace cc::service {

class AuditTrail {
 public:
  AuditTrail(consensus::Log& log, const Clock& clock, std::chrono::milliseconds every = std::chrono::milliseconds(200),
             std::size_t at_most = 500);
  ~AuditTrail();  // proposes what is left, bounded in time

  void record(AuditRecord record);  // thread-safe; never waits
  struct Counts {
    std::map<std::string, std::uint64_t> logins;  // by outcome, as the records have it
    std::uint64_t denials = 0;                    // of permission
  };
  Counts counts() const;  // of what was recorded here since the start
  void flush();           // proposes what there is now and waits for it (bounded); for tests and stopping

 private:
  struct Batch {
    std::vector<AuditRecord> records;
    std::unordered_map<std::string, std::size_t> refusals;  // places in `records`, by what makes refusals equal
    std::uint64_t dropped = 0;
  };

  void run();
  Result<> propose(const std::string& command);
  std::string encode(const std::string& request_id, const Batch& batch) const;

  consensus::Log& log_;
  const Clock& clock_;
  std::chrono::milliseconds every_;
  std::size_t at_most_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Batch batch_;                 // guarded by mutex_
  Counts counts_;               // guarded by mutex_
  std::uint64_t asked_ = 0;     // flushes asked for; guarded by mutex_
  std::uint64_t answered_ = 0;  // … of which so many have been served; guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_
  std::thread thread_;
};

}  // namespace cc::service
