#include "model/formats_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc {
namespace {

using testing::HasSubstr;

TEST(FormatsFile, lists_what_a_name_does_not_tell) {
  EXPECT_FALSE(must_be_listed("default/application.yaml", Format::yaml));
  EXPECT_FALSE(must_be_listed("default/motd", Format::text));
  EXPECT_TRUE(must_be_listed("default/settings", Format::json));
  EXPECT_TRUE(must_be_listed("default/notes.yaml", Format::text));
  EXPECT_TRUE(must_be_listed("default/.env", Format::text)) << "hidden files are not taken for configs otherwise";
  EXPECT_TRUE(must_be_listed("default/conf/.d/x.yaml", Format::yaml));
  EXPECT_TRUE(must_be_listed(".hidden/default/x.yaml", Format::yaml));
}

TEST(FormatsFile, comes_back_as_it_was_written) {
  const Formats formats = {{"default/.env", Format::text}, {"default/\"quoted\\\" 中文", Format::properties}};
  EXPECT_EQ(read_formats(write_formats(formats)).value(), formats);
  EXPECT_EQ(read_formats(write_formats({})).value(), Formats{});
  EXPECT_EQ(write_formats({{"a", Format::json}}), "{\n  \"configs\": {\n    \"a\": \"json\"\n  }\n}\n");
}

TEST(FormatsFile, that_is_somebody_elses_is_refused) {
  for (const char* wrong :
       {"", "a: 1", "[]", "{}", R"({"configs": []})", R"({"configs": {"a": 1}})", R"({"configs": {"a": "ini"}})"}) {
    const auto formats = read_formats(wrong);
    ASSERT_FALSE(formats) << wrong;
    EXPECT_EQ(formats.error().code, Code::invalid_argument);
    EXPECT_THAT(formats.error().message, HasSubstr(".config-center.json"));
  }
}

TEST(FormatsFile, is_taken_out_of_the_tree) {
  std::vector<ZipEntry> tree = {{"default/a", "x"}, {std::string(kFormatsFile), write_formats({{"a", Format::xml}})}};
  EXPECT_EQ(take_formats(tree).value(), (Formats{{"a", Format::xml}}));
  ASSERT_EQ(tree.size(), 1u);
  EXPECT_EQ(tree[0].name, "default/a");
  EXPECT_EQ(take_formats(tree).value(), Formats{});
}

}  // namespace
}  // namespace cc
