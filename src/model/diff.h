// What changed between two texts: line by line (Myers, O(ND), with a bound after which the middle is one replacement).
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace cc {

struct DiffLine {
  enum class Kind { same, removed, added } kind;
  std::string_view text;     // without its newline; points into the given texts
  std::size_t old_line = 0;  // from 1; 0 when there is none
  std::size_t new_line = 0;
};

// Tells one line after the other: all of them together would take many times the texts' memory.
void diff_lines(std::string_view before, std::string_view after, const std::function<void(const DiffLine&)>& each);

// As `diff -u` prints it, with "\ No newline at end of file"; empty when the texts are equal.
std::string unified_diff(std::string_view before, std::string_view after, std::string_view before_name,
                         std::string_view after_name, std::size_t context = 3);

}  // namespace cc
