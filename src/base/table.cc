#include "base/table.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"

namespace cc {
namespace {

// East Asian wide and full-width ranges, and emoji (Unicode EastAsianWidth, the blocks that matter).
bool is_wide(char32_t c) {
  constexpr std::array<std::pair<char32_t, char32_t>, 12> kWide = {{{0x1100, 0x115F},
                                                                    {0x2E80, 0x303E},
                                                                    {0x3041, 0x33FF},
                                                                    {0x3400, 0x4DBF},
                                                                    {0x4E00, 0x9FFF},
                                                                    {0xA000, 0xA4CF},
                                                                    {0xAC00, 0xD7A3},
                                                                    {0xF900, 0xFAFF},
                                                                    {0xFE30, 0xFE6F},
                                                                    {0xFF00, 0xFF60},
                                                                    {0x1F300, 0x1FAFF},
                                                                    {0x20000, 0x3FFFD}}};
  return std::ranges::any_of(kWide, [c](const auto& range) { return c >= range.first && c <= range.second; });
}

enum class Kind { line, lines, json };

// What a terminal would obey, or show nothing of.
bool is_unseen(char32_t c) {
  return is_control(c) || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::string shown(char32_t c, Kind kind) {
  if (kind != Kind::json && c == '\n') return "\\n";
  if (kind != Kind::json && c == '\r') return "\\r";
  if (kind != Kind::json && c == '\t') return "\\t";
  return kind != Kind::json && c < 0x100 ? fmt::format("\\x{:02x}", static_cast<unsigned>(c))
                                         : fmt::format("\\u{:04x}", static_cast<unsigned>(c));
}

std::string made_visible(std::string_view text, Kind kind) {
  std::string out;
  while (!text.empty()) {
    const Character first = first_character(text);
    const char32_t c = first.code;
    const std::string_view character = text.substr(0, first.step());
    text.remove_prefix(first.step());
    const bool line_end = c == '\n' || c == '\t' || (c == '\r' && text.starts_with('\n'));
    if (first.bytes == 0) {
      out += shown(static_cast<unsigned char>(character.front()), kind);
    } else if (is_unseen(c) && !(kind != Kind::line && line_end)) {
      out += shown(c, kind);
    } else {
      out += character;
    }
  }
  return out;
}

}  // namespace

std::string visible(std::string_view text) {
  return made_visible(text, Kind::line);
}

std::string visible_lines(std::string_view text) {
  return made_visible(text, Kind::lines);
}

std::string visible_json(std::string_view json) {
  return made_visible(json, Kind::json);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character first = first_character(text);
    const char32_t c = first.code;
    text.remove_prefix(first.step());
    const bool combining = (c >= 0x300 && c <= 0x36F) || c == 0x200B || c == 0xFEFF;
    if (!combining) width += is_wide(c) ? 2 : 1;
  }
  return width;
}

Table::Table(std::vector<std::string> header) : header_(std::move(header)) {}

void Table::add(std::vector<std::string> row) {
  row.resize(header_.size());
  for (std::string& cell : row)
    cell = visible(cell);
  rows_.push_back(std::move(row));
}

std::string Table::to_text() const {
  std::vector<std::size_t> widths(header_.size());
  const auto measure = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  };
  measure(header_);
  std::ranges::for_each(rows_, measure);

  std::string out;
  const auto print = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - display_width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  print(header_);
  std::ranges::for_each(rows_, print);
  return out;
}

}  // namespace cc
