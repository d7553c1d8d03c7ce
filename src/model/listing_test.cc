#include "model/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc {
namespace {

using testing::HasSubstr;

TEST(Listing, lists_what_a_name_does_not_tell) {
  EXPECT_FALSE(must_be_listed("default/application.yaml", {Format::yaml}));
  EXPECT_FALSE(must_be_listed("default/motd", {Format::text}));
  EXPECT_TRUE(must_be_listed("default/settings", {Format::json}));
  EXPECT_TRUE(must_be_listed("default/notes.yaml", {Format::text}));
  EXPECT_TRUE(must_be_listed("default/.env", {Format::text})) << "hidden files are not taken for configs otherwise";
  EXPECT_TRUE(must_be_listed("default/conf/.d/x.yaml", {Format::yaml}));
  EXPECT_TRUE(must_be_listed(".hidden/default/x.yaml", {Format::yaml}));
  EXPECT_TRUE(must_be_listed("default/application.yaml", {Format::yaml, true})) << "it is secret";
}

TEST(Listing, comes_back_as_it_was_written) {
  const Listing listing = {{"default/.env", {Format::text}},
                           {"default/\"quoted\\\" 中文", {Format::properties}},
                           {"default/passwords", {Format::json, true}}};
  EXPECT_EQ(read_listing(write_listing(listing)).value(), listing);
  EXPECT_EQ(read_listing(write_listing({})).value(), Listing{});
  EXPECT_EQ(write_listing({{"a", {Format::json}}}), "{\n  \"configs\": {\n    \"a\": \"json\"\n  }\n}\n");
  EXPECT_EQ(write_listing({{"a", {Format::json, true}}}),
            "{\n  \"configs\": {\n    \"a\": {\"format\": \"json\", \"secret\": true}\n  }\n}\n");
}

TEST(Listing, that_is_somebody_elses_is_refused) {
  for (const char* wrong :
       {"", "a: 1", "[]", "{}", R"({"configs": []})", R"({"configs": {"a": 1}})", R"({"configs": {"a": "ini"}})",
        R"({"configs": {"a": {"secret": true}}})", R"({"configs": {"a": {"format": "json", "secret": 1}}})"}) {
    const auto listing = read_listing(wrong);
    ASSERT_FALSE(listing) << wrong;
    EXPECT_EQ(listing.error().code, Code::invalid_argument);
    EXPECT_THAT(listing.error().message, HasSubstr(".config-center.json"));
  }
}

TEST(Listing, is_taken_out_of_the_tree) {
  std::vector<ZipEntry> tree = {{"default/a", "x"}, {std::string(kListingFile), write_listing({{"a", {Format::xml}}})}};
  EXPECT_EQ(take_listing(tree).value(), (Listing{{"a", {Format::xml}}}));
  ASSERT_EQ(tree.size(), 1u);
  EXPECT_EQ(tree[0].name, "default/a");
  EXPECT_EQ(take_listing(tree).value(), Listing{});
}

}  // namespace
}  // namespace cc
