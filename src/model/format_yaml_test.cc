#include <gtest/gtest.h>

#include "model/format_test.h"

namespace cc {
namespace {

std::string yaml(std::string_view content) {
  return verdict(Format::yaml, content);
}

TEST(CheckYaml, TakesOrdinaryDocuments) {
  EXPECT_EQ(yaml("# 注释\nserver:\n  port: 8080\n  名称: \"订单\"\nlist:\n- a\n- {b: 1, c: [2, 3]}\ntext: |\n  \tx\n"
                 "folded: >-\n  a\n  b\nempty:\n? complex: key\n: value\n'quoted': \"\\u4e2d\"\nurl: http://a/#b\n"
                 "pattern: 'a: b'\nmulti: a\n  b\n"),
            "accepted");
}

TEST(CheckYaml, TakesASingleScalar) {
  EXPECT_EQ(yaml("中文"), "accepted");
  EXPECT_EQ(yaml("a\nb"), "accepted");
}

TEST(CheckYaml, TakesSeveralDocuments) {
  EXPECT_EQ(yaml("a: 1\n---\na: 2\n---\n- 3\n...\n"), "accepted");
  EXPECT_EQ(yaml("---\na: 1\n---\n"), "accepted");
  EXPECT_EQ(yaml("a: 1\n...\n# comment\n\nb: 2\n"), "accepted");
  EXPECT_EQ(yaml("%YAML 1.2\n---\na: 1\n...\n%YAML 1.2\n---\nb: 1\n"), "accepted");
  EXPECT_EQ(yaml("a: 1\r\n---\r\nb: 1\r\n...\r\nc: 1\r\n"), "accepted");
}

TEST(CheckYaml, RefusesTwoNodesInOneDocument) {
  const std::string expected = "expected the end of the document, or \"---\" before another one";
  EXPECT_EQ(yaml("- a\nb: 1\n"), "line 2, column 1: " + expected);
  EXPECT_EQ(yaml("[a]\n[b]\n"), "line 2, column 1: " + expected);
  EXPECT_EQ(yaml("[]---\"a\""), "line 1, column 3: " + expected);
  EXPECT_EQ(yaml("\"a\" \"b\""), "line 1, column 5: " + expected);
}

TEST(CheckYaml, RefusesWhatBeginsNoNode) {
  EXPECT_EQ(yaml(",\n"), "line 1, column 1: expected the end of the document, or \"---\" before another one");
  EXPECT_EQ(yaml("...\n,\n"), "line 2, column 1: character that may not begin a value; quote the text");
}

TEST(CheckYaml, RefusesADuplicateKeyInOneMapping) {
  EXPECT_EQ(yaml("server:\n  port: 1\n  host: a\n  port: 2\n"),
            "line 4, column 3: duplicate key \"port\" (first on line 2)");
  EXPECT_EQ(yaml("{a: 1, \"a\": 2}"), "line 1, column 8: duplicate key \"a\" (first on line 1)");
  EXPECT_EQ(yaml("\"\\u4e2d\": 1\n中: 2\n"), "line 2, column 1: duplicate key \"中\" (first on line 1)");
  EXPECT_EQ(yaml("a: 1\n? a\n: 2\n"), "line 2, column 3: duplicate key \"a\" (first on line 1)");
  EXPECT_EQ(yaml("1: a\n'1': b\n"), "line 2, column 1: duplicate key \"1\" (first on line 1)");
  EXPECT_EQ(yaml("~: a\nnull: b\n"), "line 2, column 1: duplicate key \"null\" (first on line 1)");
  EXPECT_EQ(yaml("&k a: 1\n*k : 2\n"), "line 2, column 1: duplicate key \"a\" (first on line 1)");
}

TEST(CheckYaml, TakesTheSameKeyInDifferentMappings) {
  EXPECT_EQ(yaml("a: {a: {a: 1}}\nb:\n- a: 1\n- a: 1\n---\na: 1\n"), "accepted");
  EXPECT_EQ(yaml("{a: b, b: a}"), "accepted");
  EXPECT_EQ(yaml("a: 1\nA: 2\n"), "accepted");
  EXPECT_EQ(yaml("? [a]\n: 1\n? [a]\n: 2\n"), "accepted") << "keys that are collections are not compared";
}

TEST(CheckYaml, TakesAnchorsAliasesAndMergeKeys) {
  EXPECT_EQ(yaml("base: &base {x: 1}\na:\n  <<: *base\n  x: 2\nb: *base\nc: {<<: [*base, *base]}\n"), "accepted");
  EXPECT_EQ(yaml("a: &x 1\na2: &x 2\nb: *x\n"), "accepted");
  EXPECT_EQ(yaml("b: &b {}\na:\n  <<: *b\n  <<: *b\n"), "line 4, column 3: duplicate key \"<<\" (first on line 3)");
}

TEST(CheckYaml, RefusesAliasesOfNothingAndOfThemselves) {
  EXPECT_EQ(yaml("a: *b\n"), "line 1, column 4: the referenced anchor is not defined");
  EXPECT_EQ(yaml("a: &x 1\n---\nb: *x\n"), "line 3, column 4: the referenced anchor is not defined");
  EXPECT_EQ(yaml("a: &x [1, *x]\n"), "line 1, column 11: alias inside the node that it stands for");
}

TEST(CheckYaml, NeverExpandsAnAliasBomb) {
  std::string bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string previous = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + previous;
    for (int k = 0; k < 8; ++k)
      bomb += ", " + previous;
    bomb += "]\n";
  }
  EXPECT_EQ(yaml(bomb), "line 7, column 25: aliases that expand to more than 10 MiB");
}

TEST(CheckYaml, CountsLevelsThroughAliases) {
  std::string deep = "a0: &a0 [1]\n";
  for (int i = 1; i < 99; ++i) {
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_EQ(yaml(deep), "accepted");
  EXPECT_EQ(yaml(deep + "a99: [*a98]\n"),
            "line 100, column 7: deeper than 100 levels of nesting when aliases are expanded");
}

TEST(CheckYaml, RefusesTabsAsIndentation) {
  const std::string tab = "indented by a tab; YAML wants blanks";
  EXPECT_EQ(yaml("a:\n\tb: 1\n"), "line 2, column 2: " + tab);
  EXPECT_EQ(yaml("a:\n\t- b\n"), "line 2, column 2: illegal block entry");
  EXPECT_EQ(yaml("a:\n  \tb: 1\n"), "line 2, column 4: " + tab);
  EXPECT_EQ(yaml("\ta: 1\n"), "line 1, column 2: " + tab);
  EXPECT_EQ(yaml("a:\n\tb\n"), "line 2, column 2: " + tab);
}

TEST(CheckYaml, TakesTabsWhereTheyDoNotIndent) {
  EXPECT_EQ(yaml("a:\t1\nb: x\ty\t# comment\n\t\nc: {\n\td: 1,\n\te: [\n\t\t2]}\n# \tcomment\n"), "accepted");
  EXPECT_EQ(yaml("{\n\t\"a\": [\n\t\t1\n\t]\n}\n"), "accepted") << "JSON indented by tabs is YAML";
  EXPECT_EQ(yaml("a: |\n  \tb\n  c\n"), "accepted");
}

TEST(CheckYaml, TellsWhereAMistakeIs) {
  EXPECT_EQ(yaml("a: [1, 2\nb: 3\n"), "line 2, column 2: expected \",\" or \"]\"");
  EXPECT_EQ(yaml("a: 'b\n"), "line 1, column 4: quotation mark is not closed");
  EXPECT_EQ(yaml("a: b: c\n"),
            "line 1, column 5: \":\" where no mapping may begin; quote the text, or look at the indentation");
  EXPECT_EQ(yaml("a:\n  - b\n c: 1\n"),
            "line 3, column 2: expected a key of the mapping, or its end; look at the indentation");
  EXPECT_EQ(yaml("中文: @x\n"), "line 1, column 5: character that may not begin a value; quote the text");
  EXPECT_EQ(yaml("a: \"\\q\"\n"), "line 1, column 7: unknown escape; write \\\\ for a backslash");
  EXPECT_EQ(yaml("a: }\n"), "line 1, column 4: illegal flow end");
  EXPECT_EQ(yaml("a: 'b' c\n"), "line 1, column 8: expected a key of the mapping, or its end; look at the indentation");
  EXPECT_EQ(yaml("a: 1\n b: 2\n"),
            "line 2, column 3: \":\" where no mapping may begin; quote the text, or look at the indentation");
  EXPECT_EQ(yaml("a:\n    b: 1\n  c: 2\n"),
            "line 3, column 3: expected a key of the mapping, or its end; look at the indentation");
  EXPECT_EQ(yaml("a: !!str\n  - x\nb\n"), "line 3, column 1: expected \":\" after the key");
  EXPECT_EQ(yaml("%YAML 1.2\na: 1\n"), "line 2, column 1: expected \"---\" after the directive");
  EXPECT_EQ(yaml("%YAML 2.0\n---\na: 1\n"), "line 1, column 1: YAML major version too large");
}

TEST(CheckYaml, RefusesWhatWasLeftOut) {
  EXPECT_EQ(yaml("a: 1\nb\n"), "line 2, column 1: expected \":\" after the key");
  EXPECT_EQ(yaml("a: 1\n[b]\n"),
            "line 2, column 1: expected a key of the mapping, or its end; look at the indentation");
  EXPECT_EQ(yaml("[a,,b]"), "line 1, column 4: nothing before the comma");
  EXPECT_EQ(yaml("[,]"), "line 1, column 2: nothing before the comma");
  EXPECT_EQ(yaml("{a: 1,,}"), "line 1, column 7: nothing before the comma");
  EXPECT_EQ(yaml("a: \"b\n\"c\": \"d\n"),
            "line 2, column 2: expected a key of the mapping, or its end; look at the indentation");
  EXPECT_EQ(yaml("a: &x !t # comment\n  'b\n"), "line 2, column 3: quotation mark is not closed");
}

TEST(CheckYaml, TakesWhatMayBeLeftOut) {
  EXPECT_EQ(yaml("a:\nb: [c,]\nd: {e, f: , g: ~,}\n? h\n? i\n:\nj: [null, ~]\n: k\nl: &x\nm: !!null\nn: 'it''s'\n"),
            "accepted");
  EXPECT_EQ(yaml("- a\n-\n- : b\n- ? c\n"), "accepted");
}

TEST(CheckYaml, RefusesControlCharacters) {
  EXPECT_EQ(yaml(std::string_view("a\0b\0", 4)), "line 1, column 2: control character U+0000");
  EXPECT_EQ(yaml("a: 1\nb: \x04x\n"), "line 2, column 4: control character U+0004");
}

TEST(CheckYaml, TakesAHundredLevelsAndNoMore) {
  EXPECT_EQ(yaml(repeat("[", 100) + repeat("]", 100)), "accepted");
  EXPECT_EQ(yaml(repeat("[", 101) + repeat("]", 101)), "line 1, column 101: deeper than 100 levels of nesting");
  EXPECT_EQ(yaml(repeat("{a: ", 100) + "1" + repeat("}", 100)), "accepted");
  EXPECT_EQ(yaml(repeat("{a: ", 101) + "1" + repeat("}", 101)),
            "line 1, column 401: deeper than 100 levels of nesting");
  EXPECT_EQ(yaml(repeat("- ", 100) + "1"), "accepted");
  EXPECT_EQ(yaml(repeat("- ", 101) + "1"), "line 1, column 201: deeper than 100 levels of nesting");
  EXPECT_EQ(yaml(repeat("[", 10'001)), "line 1, column 51: deeper than 100 levels of nesting");
}

TEST(CheckYaml, TakesTwoHundredThousandItemsAtOnceAndNotManyMore) {
  const std::string refused = "more than 200000 items in one […] or {…}; divide it";
  EXPECT_EQ(yaml("[" + repeat("1,", 200'000) + "]"), "accepted");
  EXPECT_EQ(yaml("- a\n- [" + repeat("1,", 210'000) + "]"), "line 1, column 3: " + refused);
  EXPECT_EQ(yaml("{a: [" + repeat("1,", 210'000) + "]}"), "line 1, column 1: " + refused);
  EXPECT_EQ(yaml(repeat("[\n", 210'000)), "line 1, column 1: " + refused);
  EXPECT_EQ(yaml("[ # ]\n" + repeat("[ # ]\n", 210'000)), "line 1, column 1: " + refused);
}

TEST(CheckYaml, TakesAnyNumberOfItemsThatAreToldOneByOne) {
  EXPECT_EQ(yaml("a: [" + repeat("1,", 400'000) + "]"), "accepted");
  EXPECT_EQ(yaml(repeat("- [a, b]\n", 100'000)), "accepted");
  EXPECT_EQ(yaml("csv: |\n" + repeat("  1,2,3,4,5,6,7,8\n", 50'000)), "accepted");
}

}  // namespace
}  // namespace cc
