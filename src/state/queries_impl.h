// What the queries share.
#pragma once

#include <type_traits>
#include <utility>

#include "state/connections.h"
#include "state/queries.h"

namespace cc::state {

struct Queries::Impl {
  Impl(Path file, std::size_t at_most, Settle settle_)
      : connections(std::move(file), at_most), settle(std::move(settle_)) {}

  mutable Connections connections;
  Settle settle;

  // Runs `question(database)` in one read transaction that sees what was acknowledged before.
  template <class Question>
  auto ask(Question&& question) const -> std::invoke_result_t<Question&, Database&> {
    TRYV(settle());
    return ask_unsettled(std::forward<Question>(question));
  }

  template <class Question>
  auto ask_unsettled(Question&& question) const {
    return guarded(connections.file(), [&] {
      const auto lease = connections.take();
      return question(*lease);
    });
  }
};

}  // namespace cc::state
