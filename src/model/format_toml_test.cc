#include <gtest/gtest.h>

#include "model/format_test.h"

namespace cc {
namespace {

std::string toml(std::string_view content) {
  return verdict(Format::toml, content);
}

TEST(CheckToml, TakesTheSyntaxOfTheSpecification) {
  EXPECT_EQ(toml("# comment\n"
                 "title = \"中文\"\n"
                 "\"quoted key\" = 1\n"
                 "\"中\".x = 1\n"
                 "when = 1979-05-27T07:32:00-08:00\n"
                 "long = \"\"\"a \\\n  b \"\" [[[[ \"\"\"\"\n"
                 "literal = '''C:\\temp\n'' '''\n"
                 "numbers = [0xFF, 1_000, 6.26e-34, inf,]  # a trailing comma is TOML\n"
                 "point = {x = 1, y = {z = 2}}\n"
                 "[servers.alpha]\nip = '10.0.0.1'\n"
                 "[[products]]\nname = 'a'\n[[products]]\nname = 'b'\n[products.detail]\n"),
            "accepted");
}

TEST(CheckToml, TakesAnyCharactersInsideOfStringsAndComments) {
  EXPECT_EQ(toml("a = \"é。\" # é。\nb = \"\"\"\\\n  é \\\n 。\"\"\"\n'é'.\"。\" = '''é'''\n"), "accepted");
}

TEST(CheckToml, RefusesDuplicates) {
  EXPECT_EQ(toml("a = 1\nb = 2\na = 3\n"), "line 3, column 5: cannot redefine existing integer 'a'");
  EXPECT_EQ(toml("[a]\nx = 1\n[a]\n"), "line 3, column 1: cannot redefine existing table 'a'");
  EXPECT_EQ(toml("a.b = 1\na.b = 2\n"), "line 2, column 7: cannot redefine existing integer 'a.b'");
  EXPECT_EQ(toml("a = {b = 1, b = 2}\n"), "line 1, column 17: cannot redefine existing integer 'b'");
}

TEST(CheckToml, TellsWhereAMistakeIs) {
  EXPECT_EQ(toml("a = \n"), "line 1, column 5: expected value, saw '\\n'");
  EXPECT_EQ(toml("a = 1\n中 = 2\n"),
            "line 2, column 1: only ASCII may stand outside of quotation marks; quote the key or the value");
  EXPECT_EQ(toml("中文\n"),
            "line 1, column 1: only ASCII may stand outside of quotation marks; quote the key or the value");
  EXPECT_EQ(toml("a = '中' b\n"), "line 1, column 9: expected a comment or whitespace, saw 'b'");
  EXPECT_EQ(toml("a = [1, 2\n"), "line 2, column 1: encountered end-of-file");
  EXPECT_EQ(toml("a = 1 é\n"),
            "line 1, column 7: only ASCII may stand outside of quotation marks; quote the key or the value");
  EXPECT_EQ(toml("a = n\n"), "line 1, column 6: expected 'nan', saw 'n\\x0A'");
  EXPECT_EQ(toml("[=]\n"), "line 1, column 2: expected bare key starting character or string delimiter, saw '='");
  EXPECT_EQ(toml("[[[a]]]\n"), "line 1, column 3: expected bare key starting character or string delimiter, saw '['");
  EXPECT_EQ(toml("a = \"\x01\"\n"),
            "line 1, column 6: unescaped control characters other than TAB (U+0009) are explicitly prohibited");
  EXPECT_EQ(toml("a = {b = 1,}\n"), "line 1, column 12: expected key-value pair, saw closing '}' (dangling comma)");
  EXPECT_EQ(toml("a = 1 b = 2\n"), "line 1, column 7: expected a comment or whitespace, saw 'b'");
}

TEST(CheckToml, TakesAHundredLevelsOfBracketsAndNoMore) {
  EXPECT_EQ(toml("a = " + repeat("[", 100) + repeat("]", 100)), "accepted");
  EXPECT_EQ(toml("a = " + repeat("[", 101) + repeat("]", 101)),
            "line 1, column 105: deeper than 100 levels of nesting");
  EXPECT_EQ(toml("a = " + repeat("{a=", 100) + "1" + repeat("}", 100)), "accepted");
  EXPECT_EQ(toml("a = " + repeat("{a=", 101)), "line 1, column 305: deeper than 100 levels of nesting");
}

TEST(CheckToml, CountsTheTablesOfDottedKeysAndHeadersAsLevels) {
  EXPECT_EQ(toml(repeat("a.", 100) + "b = 1.5"), "accepted");
  EXPECT_EQ(toml(repeat("a.", 101) + "b = 1"), "line 1, column 202: deeper than 100 levels of nesting");
  EXPECT_EQ(toml("[" + repeat("a.", 99) + "b]\nc = 1.5\n"), "accepted");
  EXPECT_EQ(toml("[" + repeat("a.", 99) + "b]\nc.d = 1\n"), "line 2, column 2: deeper than 100 levels of nesting");
  EXPECT_EQ(toml("[[" + repeat("a.", 98) + "b]]\nc = 1\n"), "accepted");
  EXPECT_EQ(toml("[[" + repeat("a.", 99) + "b]]\nc = 1\n"), "line 1, column 204: deeper than 100 levels of nesting");
  EXPECT_EQ(toml("[" + repeat("'a.]\\'.\"b\\\"]\". ", 49) + "b]\nc = {x.y = 1}\n"),
            "line 2, column 7: deeper than 100 levels of nesting");
  EXPECT_EQ(toml(repeat("a.b.c=[[{d.e=1},{d.e=1.5}],[1.2,1.3]]\n[x.y]\n[[z]]\n", 1)), "accepted");
}

TEST(CheckToml, TakesTwentyThousandTablesAndNoMore) {
  std::string content;
  for (int i = 0; i < 20'000; ++i)
    content += "a" + std::to_string(i) + ".b=1\n";
  EXPECT_EQ(toml(content), "accepted");
  EXPECT_EQ(toml(content + "c.d=1"),
            "line 20001, column 2: more than 20000 tables and dotted keys; divide the document");
}

}  // namespace
}  // namespace cc
