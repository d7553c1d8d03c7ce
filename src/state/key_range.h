// Which keys a ConfigFilter asks for: a range of them as far as its words are a prefix, and what else must hold.
#pragma once

#include <string>
#include <string_view>

#include "state/queries.h"

namespace cc::state {

class KeyRange {
 public:
  explicit KeyRange(const ConfigFilter& filter);

  // Keys from here on, in order …
  std::string start(const std::string& after) const;
  // … until one that does not stand in the range.
  bool holds(std::string_view key) const { return key.starts_with(prefix_); }
  // All but content.
  bool matches(std::string_view key) const;

 private:
  const ConfigFilter& filter_;
  std::string prefix_;
};

}  // namespace cc::state
