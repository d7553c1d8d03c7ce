#include "model/diff.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include <fmt/format.h>

namespace cc {
namespace {

// Past either of these the middle of the two texts is one replacement: a diff nobody would read, not worth the time.
constexpr std::int64_t kMostDifferences = 2000;
constexpr std::int64_t kMostSteps = 20'000'000;

using Kind = DiffLine::Kind;

// With its newline, so that a missing one at the end is a difference.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t newline = text.find('\n', at);
    const std::size_t end = newline == std::string_view::npos ? text.size() : newline + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

// Which lines of two number sequences stay, by Myers' greedy algorithm: `false` means removed (in a) or added (in b).
struct Kept {
  std::vector<bool> in_a, in_b;
};

Kept longest_common(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  const auto n = static_cast<std::int64_t>(a.size());
  const auto m = static_cast<std::int64_t>(b.size());
  Kept kept{std::vector<bool>(a.size()), std::vector<bool>(b.size())};
  const std::int64_t most = std::min(n + m, kMostDifferences);
  const auto same = [&](std::int64_t x, std::int64_t y) {
    return a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(y)];
  };

  // reached[d] holds, for k = -d, -d+2 … d, how far in a the best path with d differences on diagonal k comes.
  std::vector<std::vector<std::int32_t>> reached;
  const auto x_of = [&](std::int64_t d, std::int64_t k) -> std::int64_t {
    return reached[static_cast<std::size_t>(d)][static_cast<std::size_t>((k + d) / 2)];
  };
  const auto goes_down = [&](std::int64_t d, std::int64_t k) {  // from diagonal k + 1, adding a line of b
    return k == -d || (k != d && x_of(d - 1, k - 1) < x_of(d - 1, k + 1));
  };
  std::int64_t steps = 0;
  bool found = false;
  for (std::int64_t d = 0; d <= most && !found; ++d) {
    std::vector<std::int32_t> row(static_cast<std::size_t>(d) + 1);
    for (std::int64_t k = -d; k <= d; k += 2) {
      std::int64_t x = 0;
      if (d > 0) x = goes_down(d, k) ? x_of(d - 1, k + 1) : x_of(d - 1, k - 1) + 1;
      while (x < n && x - k < m && same(x, x - k)) {
        ++x;
        ++steps;
      }
      row[static_cast<std::size_t>((k + d) / 2)] = static_cast<std::int32_t>(x);
      if (k == n - m && x >= n) {
        found = true;
        break;
      }
    }
    steps += d;
    reached.push_back(std::move(row));
    if (steps > kMostSteps) break;
  }
  if (!found) return kept;

  std::int64_t x = n;
  std::int64_t y = m;
  for (std::int64_t d = static_cast<std::int64_t>(reached.size()) - 1; d >= 0; --d) {
    const std::int64_t k = x - y;
    std::int64_t from_x = 0;
    std::int64_t from_y = 0;
    bool down = false;
    if (d > 0) {
      down = goes_down(d, k);
      from_x = down ? x_of(d - 1, k + 1) : x_of(d - 1, k - 1);
      from_y = from_x - (down ? k + 1 : k - 1);
    }
    const std::int64_t snake_x = d == 0 ? 0 : from_x + (down ? 0 : 1);
    while (x > snake_x) {
      --x, --y;
      kept.in_a[static_cast<std::size_t>(x)] = true;
      kept.in_b[static_cast<std::size_t>(y)] = true;
    }
    x = from_x;
    y = from_y;
  }
  return kept;
}

// Lines with their newlines.
template <class Each>
void compare(std::string_view before, std::string_view after, const Each& each) {
  const std::vector<std::string_view> a = lines_of(before);
  const std::vector<std::string_view> b = lines_of(after);
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head])
    ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail])
    ++tail;

  // Lines as numbers. An ordered map: nobody can choose lines that make it slow.
  std::map<std::string_view, std::uint32_t> numbers;
  const auto number = [&](const std::vector<std::string_view>& lines) {
    std::vector<std::uint32_t> out;
    for (std::size_t i = head; i < lines.size() - tail; ++i) {
      out.push_back(numbers.try_emplace(lines[i], static_cast<std::uint32_t>(numbers.size())).first->second);
    }
    return out;
  };
  const std::vector<std::uint32_t> middle_a = number(a);
  const std::vector<std::uint32_t> middle_b = number(b);
  const Kept kept = longest_common(middle_a, middle_b);

  std::size_t i = 0;
  std::size_t j = 0;
  const auto keeps = [head](const std::vector<bool>& middle, std::size_t at) {
    return at < head || at - head >= middle.size() || middle[at - head];
  };
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && !keeps(kept.in_a, i)) {
      each(DiffLine{Kind::removed, a[i], i + 1, 0});
      ++i;
    } else if (j < b.size() && !keeps(kept.in_b, j)) {
      each(DiffLine{Kind::added, b[j], 0, j + 1});
      ++j;
    } else {
      each(DiffLine{Kind::same, a[i], i + 1, j + 1});
      ++i, ++j;
    }
  }
}

std::string range(std::size_t first, std::size_t count) {
  if (count == 1) return std::to_string(first);
  return fmt::format("{},{}", count == 0 ? first - 1 : first, count);
}

}  // namespace

void diff_lines(std::string_view before, std::string_view after, const std::function<void(const DiffLine&)>& each) {
  compare(before, after, [&](DiffLine line) {
    if (line.text.ends_with('\n')) line.text.remove_suffix(1);
    each(line);
  });
}

std::string unified_diff(std::string_view before, std::string_view after, std::string_view before_name,
                         std::string_view after_name, std::size_t context) {
  if (before == after) return {};
  std::vector<DiffLine> lines;
  compare(before, after, [&](const DiffLine& line) { lines.push_back(line); });
  std::string out = fmt::format("--- {}\n+++ {}\n", before_name, after_name);
  std::size_t next_old = 1;  // line numbers that follow what stands before `at`
  std::size_t next_new = 1;
  std::size_t at = 0;
  const auto pass = [&](std::size_t to) {
    for (; at < to; ++at) {
      next_old += lines[at].kind != Kind::added;
      next_new += lines[at].kind != Kind::removed;
    }
  };
  const auto next_change = [&](std::size_t from) {
    while (from < lines.size() && lines[from].kind == Kind::same)
      ++from;
    return from;
  };
  for (std::size_t change = next_change(0); change < lines.size();) {
    pass(std::max(at, change - std::min(change, context)));
    // A hunk goes on while the next change is so near that the contexts of both would touch.
    const std::size_t first = at;
    std::size_t end = change;
    for (;;) {
      while (end < lines.size() && lines[end].kind != Kind::same)
        ++end;
      change = next_change(end);
      if (change == lines.size() || change - end > 2 * context) break;
      end = change;
    }
    end += std::min(context, lines.size() - end);
    const std::size_t old_first = next_old;
    const std::size_t new_first = next_new;
    pass(end);
    out +=
        fmt::format("@@ -{} +{} @@\n", range(old_first, next_old - old_first), range(new_first, next_new - new_first));
    for (std::size_t i = first; i < end; ++i) {
      out += lines[i].kind == Kind::same ? ' ' : lines[i].kind == Kind::removed ? '-' : '+';
      out += lines[i].text;
      if (!lines[i].text.ends_with('\n')) out += "\n\\ No newline at end of file\n";
    }
  }
  return out;
}

}  // namespace cc
