// Which versions will do: ">=15 <18", "12", "". Conditions are separated by blanks and hold all; a bare version is
// "=", and holds for what begins so: "12" for 12.11.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cc::deploy {

class VersionRange {
 public:
  VersionRange() = default;  // any
  // invalid_argument that says what is no condition.
  static Result<VersionRange> parse(std::string_view text);

  // Versions as packages have them: "15.20-0+deb12u1", "7:7.0.15-1", "6.18.44-fc". Compared number by number; what
  // stands before a colon, and from the first character on that is neither digit nor dot, is not looked at.
  bool contains(std::string_view version) const;
  bool any() const { return conditions_.empty(); }
  const std::string& to_string() const { return text_; }

 private:
  enum class Relation { equal, less, at_most, greater, at_least };
  struct Condition {
    Relation relation;
    std::vector<unsigned long> version;
  };
  std::string text_;
  std::vector<Condition> conditions_;
};

}  // namespace cc::deploy
