#include "cli/yaml.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace cc::cli {
namespace {

namespace json = boost::json;

TEST(Yaml, nests_objects_and_lists_by_two_blanks) {
  const json::value value = json::parse(R"({"items":[{"name":"a","tags":["x","y"]},{"name":"b"}],"next":null})");
  EXPECT_EQ(to_yaml(value),
            "items:\n"
            "  - name: a\n"
            "    tags:\n"
            "      - x\n"
            "      - \"y\"\n"
            "  - name: b\n"
            "next: null\n");
}

TEST(Yaml, writes_empty_lists_and_objects_on_their_line) {
  EXPECT_EQ(to_yaml(json::parse(R"({"items":[],"counts":{}})")), "items: []\ncounts: {}\n");
  EXPECT_EQ(to_yaml(json::array{}), "[]\n");
}

TEST(Yaml, quotes_text_that_a_reader_would_take_for_something_else) {
  for (const char* text : {"",           "true",  "No",    "on", "~",
                           "null",       "1.0",   "12:30", "-x", "- x",
                           "a: b",       "a #b",  "x:",    " x", "2026-01-01T00:00:00Z",
                           "line\nline", "\"q\"", "*x",    "&x", "!x",
                           "%x",         "@x",    "`x`",   "{x", "[x"}) {
    EXPECT_EQ(to_yaml(json::value(text)), json::serialize(json::value(text)) + "\n") << text;
  }
}

TEST(Yaml, leaves_ordinary_text_plain) {
  for (const char* text : {"prod/order-service/default/application.yaml", "raise pool size", "中文", "a:b", "x#y"})
    EXPECT_EQ(to_yaml(json::value(text)), std::string(text) + "\n");
}

TEST(Yaml, keeps_numbers_and_booleans) {
  EXPECT_EQ(to_yaml(json::parse(R"({"revision":18446744073709551615,"deleted":false})")),
            "revision: 18446744073709551615\ndeleted: false\n");
}

TEST(PrettyJson, writes_numbers_as_people_do) {
  EXPECT_EQ(to_pretty_json(json::parse(R"({"a":1.5,"b":1616.87})")), "{\n  \"a\": 1.5,\n  \"b\": 1616.87\n}\n");
}

TEST(PrettyJson, indents_and_reads_back) {
  const json::value value = json::parse(R"({"a":[1,{"b":"中\n"}],"c":{}})");
  const std::string text = to_pretty_json(value);
  EXPECT_EQ(text, "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"中\\n\"\n    }\n  ],\n  \"c\": {}\n}\n");
  EXPECT_EQ(json::parse(text), value);
}

TEST(MemberText, is_text_whatever_the_type) {
  const json::value value = json::parse(R"({"name":"a","version":3,"deleted":true,"nothing":null})");
  EXPECT_EQ(member_text(value, "name"), "a");
  EXPECT_EQ(member_text(value, "version"), "3");
  EXPECT_EQ(member_text(value, "deleted"), "true");
  EXPECT_EQ(member_text(value, "nothing"), "");
  EXPECT_EQ(member_text(value, "absent"), "");
}

TEST(Yaml, and_json_give_a_terminal_nothing_to_obey_and_mean_the_same) {
  const json::value text = {{"a", "\x1b[31m \x7f \xc2\x9b \xe2\x80\xae"}};
  EXPECT_EQ(to_yaml(text), "a: \"\\u001b[31m \\u007f \\u009b \\u202e\"\n");
  EXPECT_EQ(json::parse(to_pretty_json(text)), text);
  EXPECT_EQ(to_pretty_json(text).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace cc::cli
