// The queue between the threads that propose and the log thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "consensus/entry.h"
#include "consensus/log.h"

namespace cc::consensus {

struct Proposal {
  // With the index that the command has in the log.
  using Answer = std::move_only_function<void(Result<std::string>, Index)>;

  std::size_t bytes = 0;  // of the command
  Entry entry;
  Answer answer;
  Mono since{};
  Mono until{};
  bool foreign = false;  // another node's: it is told, and proposes again itself, when this one stops leading
};

// Thread-safe. Bytes count from add() until done().
class Proposals {
 public:
  explicit Proposals(std::uint64_t most_bytes) : most_bytes_(most_bytes) {}

  // Takes the command, or answers it at once when it is too large, too much, or closed. True: wake the log thread.
  bool add(std::string_view command, Mono until, bool foreign, Proposal::Answer answer);

  // The oldest ones that make a reasonable batch: one at least, if there is any.
  std::vector<Proposal> take();
  // Taken ones wait again, before all others.
  void put_back(std::vector<Proposal> taken);
  bool empty() const;

  // From now on everything is answered with `why` at once; open() ends that.
  void close(const Error& why);
  void open();

  void done(std::size_t count, std::uint64_t bytes);  // taken ones that were applied
  void failed(std::uint64_t count);                   // for the counts
  // Answers taken ones with `why`, and forgets them.
  void give_up(std::vector<Proposal> taken, const Error& why);
  // The same with those that have not been taken and match; how many those were.
  std::size_t give_up_waiting(
      const Error& why, const std::function<bool(const Proposal&)>& which = [](auto&) { return true; });

  struct Counts {
    std::uint64_t proposals = 0, failed = 0, pending = 0;
  };
  Counts counts() const;

 private:
  const std::uint64_t most_bytes_;
  mutable std::mutex mutex_;
  std::deque<Proposal> waiting_;
  std::uint64_t bytes_ = 0;
  Counts counts_;
  std::optional<Error> closed_;
};

}  // namespace cc::consensus
