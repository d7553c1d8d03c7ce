#include "model/words.h"

#include <utility>

#include <gtest/gtest.h>

namespace cc {
namespace {

std::string name_verdict(std::string_view name) {
  const Result<> checked = check_name(name, "application");
  return checked ? "accepted" : checked.error().message;
}
std::string config_name_verdict(std::string_view name) {
  const Result<> checked = check_config_name(name);
  return checked ? "accepted" : checked.error().message;
}

TEST(Names, MayHoldAnyPrintableUtf8) {
  for (const std::string_view name :
       {"shop", "order-service", "订单服务", "a b", "Größe", "a\\b", "...", ".x", "👨‍👩‍👧", "%2F"}) {
    EXPECT_EQ(name_verdict(name), "accepted") << name;
  }
}

TEST(Names, AreNotEmptyOrDots) {
  EXPECT_EQ(name_verdict(""), "application is empty; give it a name");
  EXPECT_EQ(name_verdict("."), "application may not be \".\"");
  EXPECT_EQ(name_verdict(".."), "application may not be \"..\"");
}

TEST(Names, HoldNoSlashAndNoControlCharacter) {
  EXPECT_EQ(name_verdict("a/b"), "application \"a/b\" may not hold '/'");
  EXPECT_EQ(name_verdict("a\nb"), "application \"a\\x0Ab\" holds the control character U+000A at byte 2; remove it");
  EXPECT_EQ(name_verdict(std::string_view("a\0", 2)),
            "application \"a\\x00\" holds the control character U+0000 at byte 2; remove it");
  EXPECT_EQ(name_verdict("\x7F"), "application \"\\x7F\" holds the control character U+007F at byte 1; remove it");
  EXPECT_TRUE(name_verdict("a\xC2\x85").ends_with("holds the control character U+0085 at byte 2; remove it"));
}

TEST(Names, HoldNothingInvisible) {
  for (const auto& [character, code] : {std::pair("\u200B", "U+200B"), std::pair("\u202E", "U+202E"),
                                        std::pair("\uFEFF", "U+FEFF"), std::pair("\u2028", "U+2028")}) {
    EXPECT_TRUE(name_verdict("a" + std::string(character) + "b")
                    .ends_with("holds the invisible character " + std::string(code) + " at byte 2; remove it"));
  }
}

TEST(Names, DoNotBeginOrEndWithABlank) {
  EXPECT_EQ(name_verdict(" a"), "application \" a\" begins with a blank; remove it");
  EXPECT_EQ(name_verdict("a "), "application \"a \" ends with a blank; remove it");
  EXPECT_EQ(name_verdict("a\u3000"), "application \"a\u3000\" ends with a blank; remove it");
  EXPECT_EQ(name_verdict("\u00A0"), "application \"\u00A0\" begins with a blank; remove it");
}

TEST(Names, AreValidUtf8) {
  EXPECT_EQ(name_verdict("a\xFFz"), "application \"a\\xFFz\" is not valid UTF-8 at byte 2");
  EXPECT_EQ(name_verdict("\xED\xA0\x80"), "application \"\\xED\\xA0\\x80\" is not valid UTF-8 at byte 1");
}

TEST(Names, AreLimitedInBytes) {
  EXPECT_EQ(name_verdict(std::string(128, 'a')), "accepted");
  EXPECT_EQ(name_verdict(std::string(129, 'a')),
            "application \"" + std::string(80, 'a') + "…\" is 129 bytes long; at most 128 are allowed");
  EXPECT_TRUE(check_name(std::string(300, 'a'), "comment", 300));
}

TEST(Labels, MayBeAnythingThatIsSeenOnOneLine) {
  for (const char* fine : {"", "Li Lei / 李雷", " team a ", ".", "a\"b"})
    EXPECT_TRUE(check_label(fine, "owner")) << fine;
  for (const char* wrong : {"a\nb", "\x1b[31mred", "\x7f", "\xc2\x9b", "\xe2\x80\xae", "\xff"}) {
    const auto refused = check_label(wrong, "owner");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
  }
}

TEST(ConfigNames, AreSegmentsBetweenSlashes) {
  EXPECT_EQ(config_name_verdict("application.yaml"), "accepted");
  EXPECT_EQ(config_name_verdict("conf.d/数据库/pool size.toml"), "accepted");
  EXPECT_EQ(config_name_verdict(""), "config name is empty; give it one, such as application.yaml");
  const std::string empty_segment = " has an empty segment; write one '/' between segments and none at the ends";
  for (const std::string_view name : {"/a", "a/", "a//b", "/"}) {
    EXPECT_EQ(config_name_verdict(name), "config name \"" + std::string(name) + "\"" + empty_segment);
  }
  EXPECT_EQ(config_name_verdict("a/../b"), "segment of the config name may not be \"..\"");
  EXPECT_EQ(config_name_verdict("a /b"), "segment of the config name \"a \" ends with a blank; remove it");
}

TEST(ConfigNames, AreLimitedInBytes) {
  const std::string segment(255, 'a');
  EXPECT_EQ(config_name_verdict(segment + "/" + segment), "accepted");
  EXPECT_EQ(config_name_verdict(segment + "/" + segment + "/bc"),
            "config name \"" + std::string(80, 'a') + "…\" is 514 bytes long; at most 512 are allowed");
  EXPECT_EQ(config_name_verdict(segment + "b"),
            "segment of the config name \"" + std::string(80, 'a') + "…\" is 256 bytes long; at most 255 are allowed");
}

TEST(ConfigKeys, AreFourPartsOfWhichTheNameMayHoldSlashes) {
  const Result<ConfigKey> key = ConfigKey::parse("prod/order-service/default/conf.d/application.yaml");
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->environment, "prod");
  EXPECT_EQ(key->application, "order-service");
  EXPECT_EQ(key->cluster, "default");
  EXPECT_EQ(key->name, "conf.d/application.yaml");
  EXPECT_EQ(key->to_string(), "prod/order-service/default/conf.d/application.yaml");
  EXPECT_EQ(ConfigKey::parse(key->to_string()), *key);
}

TEST(ConfigKeys, TellWhatIsWrongWithThem) {
  const auto message = [](std::string_view text) {
    const Result<ConfigKey> key = ConfigKey::parse(text);
    if (!key) {
      EXPECT_EQ(key.error().code, Code::invalid_argument);
    }
    return key ? "accepted" : key.error().message;
  };
  EXPECT_EQ(message("prod/shop/default"),
            "\"prod/shop/default\" is not a config key; write environment/application/cluster/name, such as "
            "prod/order-service/default/application.yaml");
  EXPECT_EQ(message("/shop/default/a"), "environment is empty; give it a name");
  EXPECT_EQ(message("prod//default/a"), "application is empty; give it a name");
  EXPECT_EQ(message("prod/shop/../a"), "cluster may not be \"..\"");
  EXPECT_EQ(message("prod/shop/default/"), "config name is empty; give it one, such as application.yaml");
  EXPECT_EQ(message("prod/shop/default//a"),
            "config name \"/a\" has an empty segment; write one '/' between segments and none at the ends");
}

TEST(Formats, HaveNamesThatParse) {
  for (const Format format :
       {Format::properties, Format::yaml, Format::json, Format::toml, Format::xml, Format::text}) {
    EXPECT_EQ(parse_format(to_string(format)), format);
  }
  const Result<Format> none = parse_format("YAML");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "no format \"YAML\"; there are: properties, yaml, json, toml, xml, text");
}

TEST(Formats, FollowFromTheLastExtension) {
  EXPECT_EQ(format_of_name("application.yaml"), Format::yaml);
  EXPECT_EQ(format_of_name("application.yml"), Format::yaml);
  EXPECT_EQ(format_of_name("a.b/c.json"), Format::json);
  EXPECT_EQ(format_of_name("a.xml.toml"), Format::toml);
  EXPECT_EQ(format_of_name("logback.xml"), Format::xml);
  EXPECT_EQ(format_of_name("a.properties"), Format::properties);
  for (const std::string_view name : {"", "README", "nginx.conf", "a.json/readme", "a.", "yaml", "a.YAML"}) {
    EXPECT_EQ(format_of_name(name), Format::text) << name;
  }
}

TEST(Formats, HaveMediaTypes) {
  EXPECT_EQ(media_type(Format::yaml), "application/yaml");
  EXPECT_EQ(media_type(Format::json), "application/json");
  EXPECT_EQ(media_type(Format::toml), "application/toml");
  EXPECT_EQ(media_type(Format::xml), "application/xml");
  EXPECT_EQ(media_type(Format::properties), "text/x-java-properties; charset=utf-8");
  EXPECT_EQ(media_type(Format::text), "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace cc
