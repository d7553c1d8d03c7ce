#include "cli/complete.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Complete : public testing::Test {
 protected:
  Complete() {
    root.fallthrough();
    root.add_option("--server", text)->type_name("URL")->group("Options of every command");
    root.add_option("-o,--output", text)->type_name("FORM")->group("Options of every command");
    CLI::App* get = root.add_subcommand("get", "Print the content; more");
    get->add_option("key", text)->type_name("KEY");
    get->add_option("--output-file", text, "Write here")->type_name("FILE");
    CLI::App* draft = root.add_subcommand("draft", "Edit content");
    CLI::App* save = draft->add_subcommand("save", "Save");
    save->add_option("key", text)->type_name("KEY");
    save->add_option("--format", text)->check(CLI::IsMember({"text"}))->type_name("FORMAT");
    save->add_flag("--dry-run", flag);
    draft->add_subcommand("show", "Show");
    root.add_subcommand("watch", "Watch")->add_option("what", texts)->type_name("KEY|PREFIX");
    root.add_subcommand("hidden", "Hidden")->group("");
  }

  std::vector<std::string> texts_for(const std::vector<std::string>& words) const {
    std::vector<std::string> out;
    for (const Candidate& each : complete(root, words).candidates)
      out.push_back(each.text);
    return out;
  }
  Completion::Ask ask_for(const std::vector<std::string>& words) const { return complete(root, words).ask; }

  CLI::App root{"", "config-center"};
  std::string text;
  std::vector<std::string> texts;
  bool flag = false;
};

TEST_F(Complete, offers_commands_but_not_hidden_ones) {
  EXPECT_THAT(texts_for({""}), ElementsAre("get", "draft", "watch"));
  EXPECT_THAT(texts_for({"d"}), ElementsAre("draft"));
  EXPECT_THAT(texts_for({"draft", "s"}), ElementsAre("save", "show"));
  EXPECT_THAT(texts_for({"nonsense", ""}), IsEmpty());
}

TEST_F(Complete, describes_a_command_in_its_first_words) {
  EXPECT_EQ(complete(root, {"g"}).candidates.front().description, "Print the content");
}

TEST_F(Complete, offers_the_options_of_the_command_and_of_every_command) {
  const auto offered = texts_for({"get", "--"});
  EXPECT_THAT(offered, Contains("--output-file"));
  EXPECT_THAT(offered, Contains("--server"));
  EXPECT_THAT(offered, Not(Contains("--dry-run")));
  EXPECT_THAT(texts_for({"draft", "save", "--d"}), ElementsAre("--dry-run"));
}

TEST_F(Complete, offers_the_values_of_an_option) {
  EXPECT_THAT(texts_for({"get", "-o", ""}), ElementsAre("table", "json", "yaml"));
  EXPECT_THAT(texts_for({"draft", "save", "--format", "t"}), ElementsAre("toml", "text"));
  EXPECT_EQ(ask_for({"get", "--output-file", ""}), Completion::Ask::files);
}

TEST_F(Complete, offers_the_value_behind_an_equals_sign) {
  const Completion completion = complete(root, {"draft", "save", "--format=t"});
  EXPECT_EQ(completion.before, "--format=");
  EXPECT_EQ(completion.typed, "t");
  EXPECT_THAT(texts_for({"draft", "save", "--format=t"}), ElementsAre("toml", "text"));
  EXPECT_EQ(ask_for({"get", "--output-file=a"}), Completion::Ask::files);
  EXPECT_THAT(texts_for({"get", "--nonsense=a"}), IsEmpty());
}

TEST_F(Complete, asks_for_config_keys_where_one_stands) {
  EXPECT_EQ(ask_for({"get", ""}), Completion::Ask::config_keys);
  EXPECT_EQ(ask_for({"get", "-o", "json", "dev/"}), Completion::Ask::config_keys);
  EXPECT_EQ(ask_for({"draft", "save", "--dry-run", ""}), Completion::Ask::config_keys);
  EXPECT_EQ(ask_for({"get", "dev/shop/default/a", ""}), Completion::Ask::nothing) << "get takes one key";
  EXPECT_EQ(ask_for({"watch", "dev/shop/", "dev/mail/", ""}), Completion::Ask::config_keys) << "watch takes many";
}

TEST_F(Complete, knows_which_server_was_typed) {
  EXPECT_EQ(complete(root, {"--server", "http://a:1", "get", ""}).server, "http://a:1");
  EXPECT_EQ(complete(root, {"get", "--server=http://b:2", ""}).server, "http://b:2");
  EXPECT_EQ(complete(root, {"get", ""}).server, "");
}

TEST(NextSteps, go_from_slash_to_slash) {
  const std::vector<std::string> keys = {"dev/shop/default/a.yaml", "dev/shop/default/conf.d/b.yaml",
                                         "dev/shop/beijing/a.yaml", "dev/mail/default/a.yaml"};
  EXPECT_THAT(next_steps("dev/", keys), ElementsAre(Candidate{"dev/mail/", ""}, Candidate{"dev/shop/", ""}));
  EXPECT_THAT(next_steps("dev/s", keys), ElementsAre(Candidate{"dev/shop/", ""}));
  EXPECT_THAT(next_steps("dev/shop/default/", keys),
              ElementsAre(Candidate{"dev/shop/default/a.yaml", ""}, Candidate{"dev/shop/default/conf.d/", ""}));
  EXPECT_THAT(next_steps("prod/", keys), IsEmpty());
}

TEST(CompletionScripts, ask_the_program_and_register_themselves) {
  for (const std::string_view script : {bash_completion(), zsh_completion()}) {
    EXPECT_THAT(std::string(script), HasSubstr("__complete"));
    EXPECT_THAT(std::string(script), HasSubstr(":files"));
  }
  EXPECT_THAT(std::string(bash_completion()), HasSubstr("complete -F _config_center config-center"));
  EXPECT_TRUE(zsh_completion().starts_with("#compdef config-center\n"));
}

}  // namespace
}  // namespace cc::cli
