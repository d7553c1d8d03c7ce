// The queue between the threads that propose and the log thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "consensus/frame.h"
#include "consensus/log.h"

namespace cc::consensus {

struct Proposal {
  std::size_t bytes = 0;  // of the command
  Log::Answer answer;
  std::chrono::steady_clock::time_point since;
};

// Frames and proposals at the same position belong together.
struct Batch {
  std::vector<Frame> frames;
  std::vector<Proposal> proposals;
};

// Thread-safe. Bytes count from add() until done().
class Proposals {
 public:
  explicit Proposals(std::uint64_t most_bytes) : most_bytes_(most_bytes) {}

  // Takes the command, or answers it at once when it is too large, too much, or closed. True: wake the log thread.
  bool add(std::string_view command, Log::Answer answer);

  // The oldest ones that make a reasonable batch: one at least, if there is any.
  Batch take();
  bool empty() const;

  // From now on everything is answered with `why` at once; open() ends that.
  void close(const Error& why);
  void open();

  void done(std::size_t count, std::uint64_t bytes);  // taken ones that were applied
  void failed(std::uint64_t count);                   // for the counts
  // Answers taken ones with `why`, and forgets them.
  void give_up(std::vector<Proposal> taken, const Error& why);
  // The same with all that have not been taken; how many those were.
  std::size_t give_up_waiting(const Error& why);

  struct Counts {
    std::uint64_t proposals = 0, failed = 0, pending = 0;
  };
  Counts counts() const;

 private:
  const std::uint64_t most_bytes_;
  mutable std::mutex mutex_;
  std::deque<std::pair<Frame, Proposal>> waiting_;
  std::uint64_t bytes_ = 0;
  Counts counts_;
  std::optional<Error> closed_;
};

}  // namespace cc::consensus
