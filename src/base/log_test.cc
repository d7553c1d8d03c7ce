#include "base/log.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

namespace cc {
namespace {

using testing::EndsWith;

constexpr Logger kLog{"test"};

std::string logged(LogStyle style, const std::string& value) {
  set_log_style(style);
  testing::internal::CaptureStderr();
  kLog.info("said", {{"value", value}});
  std::string line = testing::internal::GetCapturedStderr();
  set_log_style(LogStyle::automatic);
  return line;
}

TEST(Log, TextHasNothingThatATerminalWouldObey) {
  EXPECT_THAT(logged(LogStyle::text, "plain"), EndsWith(" info  test: said value=plain\n"));
  EXPECT_THAT(logged(LogStyle::text, "two \"words\""), EndsWith(" value=\"two \\\"words\\\"\"\n"));
  EXPECT_THAT(logged(LogStyle::text, ""), EndsWith(" value=\"\"\n"));
  EXPECT_THAT(logged(LogStyle::text, "\x1b[31mred\xc2\x9b\r\n\xff"),
              EndsWith(" value=\\x1B[31mred\\xC2\\x9B\\x0D\\x0A\\xFF\n"));
}

TEST(Log, JsonIsJsonWhateverBytesAFieldHas) {
  const auto value_of = [](const std::string& line) { return boost::json::parse(line).at("value").as_string(); };
  EXPECT_EQ(value_of(logged(LogStyle::json, "配置\n")), "配置\n");
  EXPECT_EQ(value_of(logged(LogStyle::json, "/v1/\xff")), "/v1/\\xFF");
}

}  // namespace
}  // namespace cc
