#include "consensus/proposals.h"

#include <fmt/format.h>

#include "base/text.h"

namespace cc::consensus {
namespace {

// Large enough that one disk write serves many, small enough that the first is not kept waiting by the last.
constexpr std::size_t kMostInABatch = 2048;
constexpr std::size_t kMostBytesInABatch = 1u << 20;

}  // namespace

bool Proposals::add(std::string_view command, Log::Answer answer) {
  std::optional<Error> refusal;
  if (command.size() > kLargestCommand) {
    refusal = Error{Code::exhausted, fmt::format("a change of {} is more than the log takes at once ({}): split it",
                                                 format_size(command.size()), format_size(kLargestCommand))};
  } else if (auto frame = Frame::of(command); !frame) {
    refusal = std::move(frame).error();
  } else {
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
      waiting_.emplace_back(*std::move(frame),
                            Proposal{command.size(), std::move(answer), std::chrono::steady_clock::now()});
      return first;
    }
  }
  failed(1);
  answer(std::unexpected(*std::move(refusal)));
  return false;
}

Batch Proposals::take() {
  Batch batch;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty() && batch.frames.size() < kMostInABatch) {
    auto& [frame, proposal] = waiting_.front();
    if (!batch.frames.empty() && bytes + frame.size() > kMostBytesInABatch) break;
    bytes += frame.size();
    batch.frames.push_back(std::move(frame));
    batch.proposals.push_back(std::move(proposal));
    waiting_.pop_front();
  }
  return batch;
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
    proposal.answer(std::unexpected(why));
}

std::size_t Proposals::give_up_waiting(const Error& why) {
  std::vector<Proposal> taken;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [frame, proposal] : waiting_)
      taken.push_back(std::move(proposal));
    waiting_.clear();
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
