// What the queries share.
#pragma once

#include <utility>

#include "state/connections.h"
#include "state/queries.h"

namespace cc::state {

struct Queries::Impl {
  Impl(Path file, std::size_t at_most, Settle settle_)
      : connections(std::move(file), at_most), settle(std::move(settle_)) {}

  Result<> settled(const Deadline& until) const;

  mutable Connections connections;
  Settle settle;
};

// Runs `question(database)` in one read transaction that sees what was acknowledged before.
template <class Question>
std::invoke_result_t<const Question&, Database&> Queries::ask(const Question& question) const {
  TRYV(impl_->settled(until_));
  return ask_unsettled(question);
}

template <class Question>
std::invoke_result_t<const Question&, Database&> Queries::ask_unsettled(const Question& question) const {
  return guarded(impl_->connections.file(), [&] {
    const auto lease = impl_->connections.take(until_);
    return question(*lease);
  });
}

}  // namespace cc::state
