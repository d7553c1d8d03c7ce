#include <gtest/gtest.h>

#include "model/format_test.h"

namespace cc {
namespace {

constexpr std::string_view kMalformed =
    "malformed \\uXXXX escape; write four hexadecimal digits after \\u, or \\\\u for a backslash and a u";

std::string properties(std::string_view content) {
  return verdict(Format::properties, content);
}
std::string malformed(std::size_t line, std::size_t column) {
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + std::string(kMalformed);
}

TEST(CheckProperties, TakesWhatJavaTakes) {
  EXPECT_EQ(properties("# comment\n! comment\na=1\nb : 2\nc 3\n d\\ e = f\nonly.key\n= no key\n中文=值\na=again\n"
                       "path=C:\\\\temp\nlist=a,\\\n     b\nunicode=\\u4e2D\\u6587\nunknown=\\q\nlast=\\"),
            "accepted");
}

TEST(CheckProperties, TakesDuplicateKeysOfWhichTheLastWins) {
  EXPECT_EQ(properties("a=1\na=2\n"), "accepted");
}

TEST(CheckProperties, RefusesAMalformedUnicodeEscape) {
  EXPECT_EQ(properties("a=1\n  b=\\u12g4\n"), malformed(2, 5));
  EXPECT_EQ(properties("a=\\u12"), malformed(1, 3));
  EXPECT_EQ(properties("a=\\u\nb=1"), malformed(1, 3));
  EXPECT_EQ(properties("\\uu0041=1"), malformed(1, 1));
  EXPECT_EQ(properties("path=C:\\users\n"), malformed(1, 8));
  EXPECT_EQ(properties("a=\\\\\\u00"), malformed(1, 5));
}

TEST(CheckProperties, DoesNotLookIntoCommentsAndEscapedBackslashes) {
  EXPECT_EQ(properties("# \\u12\n  ! \\u\r# \\u\r\na=\\\\u12\n"), "accepted");
  EXPECT_EQ(properties("# a comment does not go on \\\nb=\\u1\n"), malformed(2, 3));
}

TEST(CheckProperties, FollowsJoinedLines) {
  EXPECT_EQ(properties("a=\\u00\\\n   41\n"), "accepted");
  EXPECT_EQ(properties("a=\\u00\\\r\n   41\n"), "accepted");
  EXPECT_EQ(properties("a=\\\n# not a comment \\u1\n"), malformed(2, 17));
  EXPECT_EQ(properties("a=\\\\\nb=\\u1\n"), malformed(2, 3));
  EXPECT_EQ(properties("a=\\u00\\\n   4\n1"), malformed(1, 3));
}

}  // namespace
}  // namespace cc
