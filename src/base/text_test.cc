#include "base/text.h"

#include <gtest/gtest.h>

namespace cc {
namespace {

using namespace std::chrono_literals;

TEST(Text, durations_carry_their_unit) {
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("30s").value(), 30s);
  EXPECT_EQ(parse_duration("7d").value(), 168h);
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_TRUE(parse_duration("36500d"));
  EXPECT_FALSE(parse_duration("36501d")) << "a time that far from now would overflow";
  EXPECT_EQ(format_duration(24h), "1d");
  for (const char* bad : {"", "30", "s", "-1s", "1 s", "1y", "99999999999999999d"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(Text, sizes_are_bytes_or_carry_a_unit) {
  EXPECT_EQ(parse_size("512").value(), 512u);
  EXPECT_EQ(parse_size("64KiB").value(), 65536u);
  EXPECT_EQ(parse_size("2GB").value(), 2'000'000'000u);
  EXPECT_EQ(format_size(1536), "1.5 KiB");
  EXPECT_FALSE(parse_size("1 MiB"));
}

TEST(Text, times_are_utc_with_milliseconds) {
  const Wall time = parse_time("2026-01-02T03:04:05.678Z").value();
  EXPECT_EQ(format_time(time), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(format_time(parse_time("2026-02-28").value()), "2026-02-28T00:00:00.000Z");
  EXPECT_EQ(format_time(parse_time("2026-01-02T03:04:05.5Z").value()), "2026-01-02T03:04:05.500Z");
  for (const char* bad : {"", "2026-02-30", "2026-01-02 03:04:05Z", "2026-01-02T25:00:00Z", "2026-01-02T03:04:05"}) {
    EXPECT_FALSE(parse_time(bad)) << bad;
  }
}

TEST(Text, utf8_is_checked_to_the_byte) {
  EXPECT_EQ(find_invalid_utf8("配置 ok"), std::string_view::npos);
  EXPECT_EQ(find_invalid_utf8("ab\xff"), 2u);
  EXPECT_EQ(find_invalid_utf8("\xc0\xaf"), 0u) << "overlong";
  EXPECT_EQ(find_invalid_utf8("\xed\xa0\x80"), 0u) << "surrogate";
  EXPECT_EQ(find_invalid_utf8("a\xe4\xb8"), 1u) << "cut off";
}

TEST(Text, what_is_foreign_is_made_printable) {
  EXPECT_EQ(printable("配置 ok, C:\\temp \"x\""), "配置 ok, C:\\temp \"x\"");
  EXPECT_EQ(printable("\x1b[31mred\n\x7f"), "\\x1B[31mred\\x0A\\x7F");
  EXPECT_EQ(printable("next line: \xc2\x85"), "next line: \\xC2\\x85") << "a control character of two bytes";
  EXPECT_EQ(printable("\xff配\xe4\xb8"), "\\xFF配\\xE4\\xB8") << "what is right behind what is wrong stays";
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("say \"a\\b\"", 80, "\"\\"), "say \\\"a\\\\b\\\"");
}

TEST(Text, what_is_printable_is_cut_between_characters) {
  EXPECT_EQ(printable("abcd", 4), "abcd");
  EXPECT_EQ(printable("abcde", 4), "abcd…");
  EXPECT_EQ(printable("配置", 5), "配…");
  EXPECT_EQ(printable("ab\xff", 5), "ab…");
  EXPECT_EQ(printable("ab\xff", 6), "ab\\xFF");
  EXPECT_EQ(printable(std::string(100'000, '\xff'), 8), "\\xFF\\xFF…");
}

TEST(Text, percent_encoding_comes_back) {
  const std::string text = "a b/配置?%.yaml";
  EXPECT_EQ(percent_decode(percent_encode(text)).value(), text);
  EXPECT_EQ(percent_encode("a/b c", true), "a/b%20c");
  EXPECT_FALSE(percent_decode("%"));
  EXPECT_FALSE(percent_decode("%4"));
  EXPECT_FALSE(percent_decode("%zz"));
  EXPECT_EQ(percent_decode("%41").value(), "A");
}

TEST(Text, a_typing_error_finds_its_word) {
  EXPECT_EQ(nearest("prot", {"host", "port", "workers"}), "port");
  EXPECT_EQ(nearest("zzzzzz", {"host", "port"}), "");
}

}  // namespace
}  // namespace cc
