#include "consensus/proposals.h"

#include <fmt/format.h>

#include "base/text.h"
#include "consensus/frame.h"
#include "consensus/take_if.h"

namespace cc::consensus {
namespace {

// Large enough that one disk write serves many, small enough that the first is not kept waiting by the last.
constexpr std::size_t kMostInABatch = 2048;
constexpr std::size_t kMostBytesInABatch = 1u << 20;

}  // namespace

bool Proposals::add(std::string_view command, Mono until, bool foreign, Proposal::Answer answer) {
  std::optional<Error> refusal;
  if (command.size() > kLargestCommand) {
    refusal = Error{Code::exhausted, fmt::format("a change of {} is more than the log takes at once ({}): split it",
                                                 format_size(command.size()), format_size(kLargestCommand))};
  } else {
    Entry entry = entry_of(command);  // not under the lock
    const std::lock_guard lock(mutex_);
    if (closed_) {
      refusal = *closed_;
    } else if (bytes_ + command.size() > most_bytes_) {
      refusal = Error{Code::exhausted,
                      fmt::format("{} of changes are waiting to be committed, and {} more would exceed {}: try again",
                                  format_size(bytes_), format_size(command.size()), format_size(most_bytes_))};
    } else {
      const bool first = waiting_.empty();
      bytes_ += command.size();
      ++counts_.proposals;
      ++counts_.pending;
      waiting_.push_back({.bytes = command.size(),
                          .entry = std::move(entry),
                          .answer = std::move(answer),
                          .since = std::chrono::steady_clock::now(),
                          .until = until,
                          .foreign = foreign});
      return first;
    }
  }
  failed(1);
  answer(std::unexpected(*std::move(refusal)), 0);
  return false;
}

std::vector<Proposal> Proposals::take() {
  std::vector<Proposal> batch;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty() && batch.size() < kMostInABatch) {
    Proposal& proposal = waiting_.front();
    if (!batch.empty() && bytes + proposal.entry.bytes.size() > kMostBytesInABatch) break;
    bytes += proposal.entry.bytes.size();
    batch.push_back(std::move(proposal));
    waiting_.pop_front();
  }
  return batch;
}

void Proposals::put_back(std::vector<Proposal> taken) {
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.begin(), std::move_iterator(taken.begin()), std::move_iterator(taken.end()));
}

bool Proposals::empty() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

void Proposals::close(const Error& why) {
  const std::lock_guard lock(mutex_);
  closed_ = why;
}

void Proposals::open() {
  const std::lock_guard lock(mutex_);
  closed_.reset();
}

void Proposals::done(std::size_t count, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  counts_.pending -= count;
  bytes_ -= bytes;
}

void Proposals::failed(std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  counts_.failed += count;
}

void Proposals::give_up(std::vector<Proposal> taken, const Error& why) {
  std::uint64_t bytes = 0;
  for (const Proposal& proposal : taken)
    bytes += proposal.bytes;
  done(taken.size(), bytes);
  failed(taken.size());
  for (Proposal& proposal : taken)
    proposal.answer(std::unexpected(why), 0);
}

std::size_t Proposals::give_up_waiting(const Error& why, const std::function<bool(const Proposal&)>& which) {
  std::vector<Proposal> taken;
  {
    const std::lock_guard lock(mutex_);
    taken = take_if(waiting_, which);
  }
  const std::size_t count = taken.size();
  give_up(std::move(taken), why);
  return count;
}

Proposals::Counts Proposals::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace cc::consensus
