// What the queries share.
#pragma once

#include <utility>

#include "state/connections.h"
#include "state/queries.h"

namespace cc::state {

struct Queries::Impl {
  Impl(Path file, std::size_t at_most) : connections(std::move(file), at_most) {}

  mutable Connections connections;

  // Runs `question(database)` in one read transaction.
  template <class Question>
  auto ask(Question&& question) const {
    return guarded(connections.file(), [&] {
      const auto lease = connections.take();
      return question(*lease);
    });
  }
};

}  // namespace cc::state
