#include <gtest/gtest.h>

#include "model/format_test.h"

namespace cc {
namespace {

std::string json(std::string_view content) {
  return verdict(Format::json, content);
}

TEST(CheckJson, TakesEveryKindOfValueAlone) {
  for (const std::string_view content : {"null", "true", "-1.5e3", "\"中\"", "{}", "[]", " [1, {\"a\": [null]}] \n"}) {
    EXPECT_EQ(json(content), "accepted") << content;
  }
}

TEST(CheckJson, TakesNumbersOfAnySize) {
  EXPECT_EQ(json("[123456789012345678901234567890, 1e400, 0.1e-400]"), "accepted");
}

TEST(CheckJson, RefusesADuplicateKeyInOneObject) {
  EXPECT_EQ(json("{\"a\": 1, \"b\": 2, \"a\": 3}"), "line 1, column 18: duplicate key \"a\" (first on line 1)");
  EXPECT_EQ(json("{\"x\": [\"a\", {\"a\": 1,\n\"a\" : 2}]}"),
            "line 2, column 1: duplicate key \"a\" (first on line 1)");
}

TEST(CheckJson, ComparesKeysAfterTheirEscapes) {
  EXPECT_EQ(json("{\"a\\\"\": 1,\n \"\\u0061\\u0022\": 2}"),
            "line 2, column 2: duplicate key \"a\\\"\" (first on line 1)");
}

TEST(CheckJson, TakesTheSameKeyInDifferentObjects) {
  EXPECT_EQ(json("{\"a\": {\"a\": {\"a\": 1}}, \"b\": [{\"a\": 1}, {\"a\": 1}]}"), "accepted");
  EXPECT_EQ(json("{\"a\": 1, \"A\": 2, \"\": 3}"), "accepted");
}

TEST(CheckJson, RefusesATrailingComma) {
  EXPECT_EQ(json("{\"a\": 1,\n}"), "line 2, column 1: trailing comma");
  EXPECT_EQ(json("[1, ]"), "line 1, column 5: trailing comma");
}

TEST(CheckJson, RefusesComments) {
  EXPECT_EQ(json("// why\n{}"), "line 1, column 1: comments are not JSON");
  EXPECT_EQ(json("{\n  /* why */ \"a\": 1}"), "line 2, column 3: comments are not JSON");
  EXPECT_EQ(json("# why\n{}"), "line 1, column 1: comments are not JSON");
}

TEST(CheckJson, RefusesWhatOtherDialectsAllow) {
  EXPECT_EQ(json("{'a': 1}"), "line 1, column 2: strings stand in double quotation marks");
  EXPECT_EQ(json("{a: 1}"), "line 1, column 2: syntax error at \"a\"");
  EXPECT_EQ(json("[01]"), "line 1, column 3: syntax error at \"1\"");
  EXPECT_EQ(json("[NaN]"), "line 1, column 2: syntax error at \"N\"");
  EXPECT_EQ(json("[+1]"), "line 1, column 2: syntax error at \"+\"");
}

TEST(CheckJson, RefusesWhatFollowsTheDocument) {
  EXPECT_EQ(json("{}\n {}"), "line 2, column 2: something follows the end of the document");
}

TEST(CheckJson, RefusesADocumentThatEndsTooEarly) {
  EXPECT_EQ(json("{\"a\": [1,\n 2"), "line 2, column 3: the document ends too early");
  EXPECT_EQ(json("\"a"), "line 1, column 3: the document ends too early");
}

TEST(CheckJson, RefusesBadStrings) {
  EXPECT_EQ(json("[\"a\nb\"]"), "line 1, column 4: syntax error at \"\\x0A\"");
  EXPECT_EQ(json("[\"\\x\"]"), "line 1, column 4: syntax error at \"x\"");
  EXPECT_EQ(json("[\"\\ud800\"]"), "line 1, column 9: syntax error at \"\\\"\"");
}

TEST(CheckJson, TakesAHundredLevelsAndNoMore) {
  EXPECT_EQ(json(repeat("[", 100) + repeat("]", 100)), "accepted");
  EXPECT_EQ(json(repeat("[", 101) + repeat("]", 101)), "line 1, column 101: deeper than 100 levels of nesting");
  EXPECT_EQ(json(repeat("{\"a\":", 100) + "1" + repeat("}", 100)), "accepted");
  EXPECT_EQ(json(repeat("{\"a\":", 101)), "line 1, column 501: deeper than 100 levels of nesting");
}

}  // namespace
}  // namespace cc
