// How far the archive is, as the leader reported it to the state of every node.
#pragma once

#include <cstdint>
#include <limits>

namespace cc::state {

struct Archived {
  bool used = false;
  std::uint64_t release = 0, audit = 0;
  // Up to which ids something may be forgotten.
  std::uint64_t forgettable_release() const { return used ? release : kAll; }
  std::uint64_t forgettable_audit() const { return used ? audit : kAll; }

  bool operator==(const Archived&) const = default;

  static constexpr std::uint64_t kAll = std::numeric_limits<std::int64_t>::max();
};

}  // namespace cc::state
