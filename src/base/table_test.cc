#include "base/table.h"

#include <gtest/gtest.h>

namespace cc {
namespace {

TEST(Table, aligns_chinese_text_by_terminal_cells) {
  Table table({"NAME", "OWNER"});
  table.add({"配置", "a"});
  table.add({"plain", "b"});
  EXPECT_EQ(table.to_text(), "NAME   OWNER\n配置   a\nplain  b\n");
}

TEST(Table, has_one_line_for_each_row_whatever_its_cells_hold) {
  Table table({"COMMENT", "AUTHOR"});
  table.add({"\x1b[31mred\x1b[0m\nFAKE line\r\a", "mallory"});
  EXPECT_EQ(table.to_text(),
            "COMMENT                              AUTHOR\n"
            "\\x1b[31mred\\x1b[0m\\nFAKE line\\r\\x07  mallory\n");
}

TEST(Visible, shows_what_a_terminal_would_obey_or_hide) {
  EXPECT_EQ(visible("plain, 配置 and é"), "plain, 配置 and é");
  EXPECT_EQ(visible("a\tb\n"), "a\\tb\\n");
  EXPECT_EQ(visible("\x7f \xc2\x9b"), "\\x7f \\x9b") << "DEL, and CSI as one character";
  EXPECT_EQ(visible("\xe2\x80\xae"), "\\u202e") << "what follows would be written from right to left";
  EXPECT_EQ(visible("caf\xe9!\xff"), "caf\\xe9!\\xff") << "not UTF-8";
  EXPECT_EQ(visible(std::string_view("\0", 1)), "\\x00");
}

TEST(Visible, keeps_the_lines_of_text_that_has_some) {
  EXPECT_EQ(visible_lines("a: 1\r\n\tb\n\x1b[2K\rc"), "a: 1\r\n\tb\n\\x1b[2K\\rc");
}

TEST(Visible, json_means_what_it_meant) {
  EXPECT_EQ(visible_json("{\n  \"a\": \"\xc2\x9b\x7f \\n配置\"\n}"), "{\n  \"a\": \"\\u009b\\u007f \\n配置\"\n}");
}

}  // namespace
}  // namespace cc
