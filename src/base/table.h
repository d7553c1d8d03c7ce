// The one way to print a table for people, and what a terminal may be given of what others wrote. Column widths count
// terminal cells (Chinese takes two).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cc {

class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void add(std::vector<std::string> row);  // as many cells as the header; each is made visible()
  std::string to_text() const;             // aligned columns, two spaces between, no trailing blanks
  std::size_t rows() const { return rows_.size(); }

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// How many terminal cells the UTF-8 text takes.
std::size_t display_width(std::string_view text);

// On one line, and without anything that a terminal obeys or that makes text look like other text: control characters,
// line ends, marks that turn the direction of writing, and bytes that are not UTF-8 are shown as \x1b, \n, \u202e.
std::string visible(std::string_view text);
// The same of text of many lines: line ends (\n, \r\n) and tabs stay.
std::string visible_lines(std::string_view text);
// The same of JSON, as the escapes that JSON has: it means what it meant.
std::string visible_json(std::string_view json);

}  // namespace cc
