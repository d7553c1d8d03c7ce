#include "model/format_test.h"

#include <array>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace cc {
namespace {

constexpr std::array kAll{Format::properties, Format::yaml, Format::json, Format::toml, Format::xml, Format::text};

// The smallest honest document of each.
std::string sample(Format format) {
  switch (format) {
    case Format::properties:
      return "name=值\r\nport=1\r\n";
    case Format::yaml:
      return "name: 值\r\nport: 1\r\n";
    case Format::json:
      return "{\"name\": \"值\",\r\n\"port\": 1}\r\n";
    case Format::toml:
      return "name = \"值\"\r\nport = 1\r\n";
    case Format::xml:
      return "<config name=\"值\">\r\n<port>1</port></config>\r\n";
    case Format::text:
      break;
  }
  return "值\r\n";
}

TEST(CheckFormat, TakesChineseTextAndCrLfInEveryFormat) {
  for (const Format format : kAll)
    EXPECT_EQ(verdict(format, sample(format)), "accepted") << to_string(format);
}

TEST(CheckFormat, TakesContentWithAndWithoutAFinalNewline) {
  for (const Format format : kAll) {
    std::string content = sample(format);
    content.resize(content.size() - 2);
    EXPECT_EQ(verdict(format, content), "accepted") << to_string(format);
  }
}

TEST(CheckFormat, SkipsAByteOrderMarkAtTheStart) {
  for (const Format format : kAll) {
    EXPECT_EQ(verdict(format, "\xEF\xBB\xBF" + sample(format)), "accepted") << to_string(format);
  }
}

TEST(CheckFormat, DoesNotCountTheByteOrderMarkAsAColumn) {
  EXPECT_EQ(verdict(Format::json, "\xEF\xBB\xBF!"), "line 1, column 1: syntax error at \"!\"");
}

TEST(CheckFormat, RefusesWhatIsNotUtf8InEveryFormatWithTheOffset) {
  for (const Format format : kAll) {
    EXPECT_EQ(verdict(format, "a\n中\xC4\xE3"),
              "line 2, column 2: not valid UTF-8: byte 0xC4 at offset 5; save the file as UTF-8")
        << to_string(format);
  }
  EXPECT_EQ(verdict(Format::text, "\xEF\xBB\xBF\xFF"),
            "line 1, column 1: not valid UTF-8: byte 0xFF at offset 3; save the file as UTF-8");
}

TEST(CheckFormat, TakesEmptyContentButInJsonAndXml) {
  for (const std::string_view empty : {"", "\xEF\xBB\xBF", " \n\n"}) {
    for (const Format format : {Format::properties, Format::yaml, Format::toml, Format::text}) {
      EXPECT_EQ(verdict(format, empty), "accepted") << to_string(format);
    }
  }
  EXPECT_EQ(verdict(Format::json, ""), "line 1, column 1: empty; the smallest JSON document is null, {} or []");
  EXPECT_EQ(verdict(Format::json, " \n"), "line 2, column 1: empty; the smallest JSON document is null, {} or []");
  EXPECT_EQ(verdict(Format::xml, ""), "line 1, column 1: no root element");
  EXPECT_EQ(verdict(Format::xml, " \n"), "line 2, column 1: no root element");
}

TEST(CheckFormat, TakesAnythingThatIsUtf8AsText) {
  EXPECT_EQ(verdict(Format::text, std::string_view("{[<a>\0\x01\x7F \t\r", 11)), "accepted");
}

TEST(CheckFormat, TellsProgramsLineColumnAndReason) {
  const Result<> checked = check_format(Format::json, "{\n \"a\": 1,\n  \"a\": 2}");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::invalid_argument);
  EXPECT_EQ(checked.error().message, "line 3, column 3: duplicate key \"a\" (first on line 2)");
  EXPECT_EQ(boost::json::parse(checked.error().details),
            (boost::json::value{{"line", 3}, {"column", 3}, {"reason", "duplicate key \"a\" (first on line 2)"}}));
}

TEST(CheckFormat, CountsColumnsInCodePointsAndLinesByAnyLineEnd) {
  EXPECT_EQ(verdict(Format::json, "[\"中文\", x]"), "line 1, column 8: syntax error at \"x\"");
  EXPECT_EQ(verdict(Format::json, "[\n\r\n\rx]"), "line 4, column 1: syntax error at \"x\"");
}

// A mebibyte of what nests or makes parsers look ahead: neither stack nor time may run out. What has no end in sight is
// refused; where each piece is a whole (a comment, a key) it may be accepted.
TEST(CheckFormat, SurvivesAMebibyteOfHostileRepetition) {
  const std::vector<std::pair<Format, std::vector<std::string_view>>> hostile{
      {Format::yaml, {"[", "{", "- ", "? ", "&a ", "!a ", "[a,", "{a: ", "---\n", ",\n"}},
      {Format::json, {"[", "{\"a\":", "\"", "[],"}},
      {Format::toml, {"[", "a.", "\"\"\"", "'", "[[a]]\n", "[a.b]\n", "\"a\"."}},
      {Format::xml, {"<a>", "<", "&", "<!--", "<a ", "<a b='", "<?a ?>"}},
      {Format::properties, {"\\", "\\\n", "a=\\u0041\\\n"}},
  };
  for (const auto& [format, pieces] : hostile) {
    for (const std::string_view piece : pieces) {
      const Result<> checked = check_format(format, repeat(piece, 1024 * 1024 / piece.size()));
      if (format == Format::json || format == Format::xml) {
        EXPECT_FALSE(checked) << piece;
      }
      if (!checked) {
        EXPECT_TRUE(checked.error().message.starts_with("line ")) << checked.error().message;
      }
    }
  }
}

}  // namespace
}  // namespace cc
