#include "model/diff.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace cc {
namespace {

using Kind = DiffLine::Kind;

std::vector<DiffLine> all_lines(std::string_view before, std::string_view after) {
  std::vector<DiffLine> lines;
  diff_lines(before, after, [&](const DiffLine& line) { lines.push_back(line); });
  return lines;
}

// "=a -b +c": one word per line of the diff.
std::string brief(std::string_view before, std::string_view after) {
  std::string text;
  for (const DiffLine& line : all_lines(before, after)) {
    text += text.empty() ? "" : " ";
    text += line.kind == Kind::same ? '=' : line.kind == Kind::removed ? '-' : '+';
    text += line.text;
  }
  return text;
}

std::string unified(std::string_view before, std::string_view after, std::size_t context = 3) {
  return unified_diff(before, after, "old", "new", context);
}

// What stands on one side of a diff, with its newlines; checks the line numbers on the way.
std::string side(std::string_view before, std::string_view after, bool old) {
  std::string text;
  std::size_t next_old = 1;
  std::size_t next_new = 1;
  for (const DiffLine& line : all_lines(before, after)) {
    EXPECT_EQ(line.old_line, line.kind == Kind::added ? 0 : next_old++);
    EXPECT_EQ(line.new_line, line.kind == Kind::removed ? 0 : next_new++);
    if (line.kind != (old ? Kind::added : Kind::removed)) text.append(line.text) += '\n';
  }
  return text;
}

// The fewest differences there can be, by the textbook's table.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> common(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      common[i + 1][j + 1] = a[i] == b[j] ? common[i][j] + 1 : std::max(common[i][j + 1], common[i + 1][j]);
    }
  }
  return a.size() + b.size() - 2 * common[a.size()][b.size()];
}

std::string as_lines(const std::string& letters) {
  std::string text;
  for (const char c : letters)
    text.append(1, c) += '\n';
  return text;
}

TEST(DiffLines, MarksEachLine) {
  EXPECT_EQ(brief("a\nb\nc\n", "a\nx\nc\n"), "=a -b +x =c");
  EXPECT_EQ(brief("a\nb\n", "a\nb\n"), "=a =b");
  EXPECT_EQ(brief("", "a\n"), "+a");
  EXPECT_EQ(brief("a\n", ""), "-a");
  EXPECT_EQ(brief("", ""), "");
  EXPECT_EQ(brief("a\na\na\n", "a\na\n"), "=a =a -a");
}

TEST(DiffLines, PutsWhatWasRemovedBeforeWhatWasAdded) {
  EXPECT_EQ(brief("a\nb\n", "x\ny\n"), "-a -b +x +y");
}

TEST(DiffLines, SeesAMissingFinalNewlineAndACarriageReturn) {
  EXPECT_EQ(brief("a\nb", "a\nb\n"), "=a -b +b");
  EXPECT_EQ(brief("a\r\n", "a\n"), "-a\r +a");
}

TEST(DiffLines, NumbersLinesFromOne) {
  const std::string before = "a\nb\nc\n";
  const std::string after = "b\nc\nd\n";
  EXPECT_EQ(side(before, after, true), before);
  EXPECT_EQ(side(before, after, false), after);
}

TEST(DiffLines, FindsTheFewestDifferences) {
  std::mt19937 random(7);  // NOLINT: the same texts every time
  for (int round = 0; round < 2000; ++round) {
    std::string a;
    std::string b;
    for (std::string* text : {&a, &b}) {
      for (auto length = random() % 12; length > 0; --length)
        *text += static_cast<char>('a' + random() % 3);
    }
    const std::string before = as_lines(a);
    const std::string after = as_lines(b);
    ASSERT_EQ(side(before, after, true), before);
    ASSERT_EQ(side(before, after, false), after);
    const std::vector<DiffLine> lines = all_lines(before, after);
    const auto differences = std::ranges::count_if(lines, [](const DiffLine& line) { return line.kind != Kind::same; });
    ASSERT_EQ(static_cast<std::size_t>(differences), distance(a, b)) << a << " " << b;
  }
}

TEST(DiffLines, ReplacesTheMiddleOfTextsThatHaveTooLittleInCommon) {
  std::string before = "head\n";
  std::string after = "head\n";
  for (int i = 0; i < 40'000; ++i) {
    before += "a" + std::to_string(i % 7) + "\n";
    after += (i % 2 == 0 ? "b" : "a") + std::to_string(i % 11) + "\n";
  }
  before += "tail\n";
  after += "tail\n";
  EXPECT_EQ(side(before, after, true), before);
  EXPECT_EQ(side(before, after, false), after);
  const std::vector<DiffLine> lines = all_lines(before, after);
  EXPECT_EQ(lines.size(), 80'002U);
  EXPECT_EQ(lines.front().kind, Kind::same);
  EXPECT_EQ(lines.back().kind, Kind::same);
}

TEST(UnifiedDiff, IsEmptyForEqualTexts) {
  EXPECT_EQ(unified("a\n", "a\n"), "");
}

TEST(UnifiedDiff, LooksAsDiffPrintsIt) {
  EXPECT_EQ(unified("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "--- old\n+++ new\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
  EXPECT_EQ(unified("a\n", "b\n"), "--- old\n+++ new\n@@ -1 +1 @@\n-a\n+b\n");
  EXPECT_EQ(unified("", "a\nb\n"), "--- old\n+++ new\n@@ -0,0 +1,2 @@\n+a\n+b\n");
  EXPECT_EQ(unified("a\n", ""), "--- old\n+++ new\n@@ -1 +0,0 @@\n-a\n");
}

TEST(UnifiedDiff, JoinsHunksWhoseContextsTouch) {
  const std::string before = "1\n2\n3\n4\n5\n6\n";
  EXPECT_EQ(unified(before, "x\n2\n3\ny\n5\n6\n", 1),
            "--- old\n+++ new\n@@ -1,5 +1,5 @@\n-1\n+x\n 2\n 3\n-4\n+y\n 5\n");
  EXPECT_EQ(unified(before, "x\n2\n3\n4\ny\n6\n", 1),
            "--- old\n+++ new\n@@ -1,2 +1,2 @@\n-1\n+x\n 2\n@@ -4,3 +4,3 @@\n 4\n-5\n+y\n 6\n");
  EXPECT_EQ(unified(before, "1\n3\n4\n5\n6\nz\n", 0), "--- old\n+++ new\n@@ -2 +1,0 @@\n-2\n@@ -6,0 +6 @@\n+z\n");
}

TEST(UnifiedDiff, TellsOfAMissingFinalNewline) {
  EXPECT_EQ(unified("a\nb", "a\nb\n"), "--- old\n+++ new\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n");
  EXPECT_EQ(unified("a\nb", "c\nb"), "--- old\n+++ new\n@@ -1,2 +1,2 @@\n-a\n+c\n b\n\\ No newline at end of file\n");
}

}  // namespace
}  // namespace cc
