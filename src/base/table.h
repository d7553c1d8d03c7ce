// The one way to print a table for people. Column widths count terminal cells (Chinese takes two).
#pragma once

#include <string>
#include <vector>

namespace cc {

class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void add(std::vector<std::string> row);  // as many cells as the header
  std::string to_text() const;             // aligned columns, two spaces between, no trailing blanks
  std::size_t rows() const { return rows_.size(); }

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// How many terminal cells the UTF-8 text takes.
std::size_t display_width(const std::string& text);

}  // namespace cc
