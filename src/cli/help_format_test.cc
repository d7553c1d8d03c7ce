#include "cli/help_format.h"

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Wrap, breaks_between_words_only) {
  EXPECT_EQ(wrap("one two three", 7), "one two\nthree");
  EXPECT_EQ(wrap("extraordinarily long", 7), "extraordinarily\nlong");
  EXPECT_EQ(wrap("short", 7), "short");
  EXPECT_EQ(wrap("", 7), "");
}

TEST(HelpFormat, shows_what_options_take_and_not_how_it_is_checked) {
  CLI::App app("Do it", "program");
  std::string format, key;
  std::size_t number = 64;
  app.formatter(help_format());
  app.add_option("key", key, "The key")->required()->type_name("KEY");
  app.add_option("--format", format, "The format")->check(CLI::IsMember({"yaml", "json"}))->type_name("FORMAT");
  app.add_option("--number", number, "How many")->capture_default_str()->check(CLI::Range(1, 100))->type_name("N");
  app.add_option("--prefix", key, "Start of keys")->type_name("[key:]");
  const std::string help = app.help();
  EXPECT_THAT(help, HasSubstr("Usage: program [OPTIONS] KEY\n"));
  EXPECT_THAT(help, HasSubstr("--format FORMAT "));
  EXPECT_THAT(help, HasSubstr("--number N [64] "));
  EXPECT_THAT(help, HasSubstr("--prefix [key:] "));
  EXPECT_THAT(help, Not(HasSubstr("yaml")));
}

}  // namespace
}  // namespace cc::cli
