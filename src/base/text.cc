#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "base/utf8.h"

namespace cc {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> kDurations = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

constexpr std::array<Unit, 7> kSizes = {{{"KiB", 1u << 10},
                                         {"MiB", 1u << 20},
                                         {"GiB", 1u << 30},
                                         {"KB", 1000},
                                         {"MB", 1'000'000},
                                         {"GB", 1'000'000'000},
                                         {"B", 1}}};

constexpr std::uint64_t kMost = 1ull << 62;
constexpr std::uint64_t kLongest = 36'500ull * 24 * 3600 * 1000;  // of a duration, in milliseconds: a hundred years

// The digits at the start of `text`, and what follows them.
std::optional<std::pair<std::uint64_t, std::string_view>> number_and_rest(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return std::pair(value, text.substr(static_cast<std::size_t>(end - text.data())));
}

bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<milliseconds> parse_duration(std::string_view text) {
  const auto parsed = number_and_rest(text);
  if (parsed) {
    for (const Unit& unit : kDurations) {
      if (parsed->second != unit.suffix) continue;
      if (parsed->first > kLongest / unit.factor) {
        return fail(Code::invalid_argument, fmt::format("\"{}\" is longer than a hundred years", text));
      }
      return milliseconds(static_cast<std::int64_t>(parsed->first * unit.factor));
    }
  }
  return fail(Code::invalid_argument,
              fmt::format("\"{}\" is not a duration; write a number and a unit: 250ms, 30s, 5m, 24h, 7d", text));
}

std::string format_duration(milliseconds duration) {
  const auto count = duration.count();
  if (count == 0) return "0s";
  for (auto unit = kDurations.rbegin(); unit != kDurations.rend(); ++unit) {
    const auto factor = static_cast<std::int64_t>(unit->factor);
    if (count % factor == 0) return fmt::format("{}{}", count / factor, unit->suffix);
  }
  return fmt::format("{}ms", count);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto parsed = number_and_rest(text);
  if (parsed) {
    if (parsed->second.empty()) return parsed->first;
    for (const Unit& unit : kSizes) {
      if (parsed->second == unit.suffix && parsed->first <= kMost / unit.factor) return parsed->first * unit.factor;
    }
  }
  return fail(Code::invalid_argument, fmt::format("\"{}\" is not a size; write 512, 64KiB, 1MiB or 2GiB", text));
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return value == static_cast<double>(static_cast<std::uint64_t>(value))
             ? fmt::format("{:.0f} {}", value, kUnits.at(unit))
             : fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

std::string format_time(Wall time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

Result<Wall> parse_time(std::string_view text) {
  const auto bad = [&] {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\" is not a time; write it in UTC: 2026-01-02T03:04:05Z, or 2026-01-02", text));
  };
  const auto digits = [&](std::size_t at, std::size_t count) -> int {
    if (at + count > text.size()) return -1;
    int value = 0;
    for (const char c : text.substr(at, count)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const int year = digits(0, 4), month = digits(5, 2), day = digits(8, 2);
  if (year < 0 || month < 0 || day < 0 || text[4] != '-' || text[7] != '-') return bad();
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return bad();
  const Wall midnight = std::chrono::sys_days(date);
  if (text.size() == 10) return midnight;
  const int hour = digits(11, 2), minute = digits(14, 2), second = digits(17, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return bad();
  if (text[10] != 'T' || text[13] != ':' || text[16] != ':' || text.back() != 'Z') return bad();
  int fraction = 0;
  if (text.size() > 20) {
    if (text[19] != '.') return bad();
    const std::size_t count = text.size() - 21;
    if (count == 0 || count > 9 || digits(20, count) < 0) return bad();
    fraction = digits(20, std::min<std::size_t>(count, 3));
    for (std::size_t i = count; i < 3; ++i)
      fraction *= 10;
  }
  return midnight + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) +
         milliseconds(fraction);
}

Result<std::uint64_t> parse_uint(std::string_view text, std::string_view what) {
  const auto parsed = number_and_rest(text);
  if (!parsed || !parsed->second.empty()) {
    return fail(Code::invalid_argument, fmt::format("{} is \"{}\"; it must be a whole number", what, text));
  }
  return parsed->first;
}

std::size_t find_invalid_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = first_character(text.substr(i)).bytes;
    if (size == 0) return i;
    i += size;
  }
  return std::string_view::npos;
}

std::string printable(std::string_view text, std::size_t longest, std::string_view escaped) {
  std::string out;
  out.reserve(std::min(text.size(), longest));
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t before = out.size();
    const Character first = first_character(text.substr(i));
    const std::string_view character = text.substr(i, first.step());
    if (first.bytes == 0 || is_control(first.code)) {
      for (const char c : character)
        fmt::format_to(std::back_inserter(out), "\\x{:02X}", static_cast<unsigned char>(c));
    } else {
      if (first.bytes == 1 && escaped.contains(character.front())) out += '\\';
      out += character;
    }
    if (out.size() > longest) {
      out.resize(before);
      return out += "…";
    }
    i += character.size();
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t from = 0;
  for (;;) {
    const std::size_t to = text.find(separator, from);
    if (to == std::string_view::npos) {
      parts.push_back(text.substr(from));
      return parts;
    }
    parts.push_back(text.substr(from, to - from));
    from = to + 1;
  }
}

std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string percent_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(byte) || (keep_slash && c == '/')) {
      out.push_back(c);
    } else {
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const bool complete = text.size() - i > 2;
    const int high = complete ? hex_value(text[i + 1]) : -1;
    const int low = complete ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return fail(Code::invalid_argument,
                  "a % in the address is not followed by two hexadecimal digits; write it as %25");
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    // Levenshtein, one row at a time.
    std::vector<std::size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), 0u);
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i + 1;
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t above = row[j + 1];
        row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (word[i] == candidate[j] ? 0u : 1u)});
        diagonal = above;
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace cc
