#include "base/host_port.h"

#include <gtest/gtest.h>

namespace cc {
namespace {

TEST(HostAndPort, IsANameOrAnAddressAndANumber) {
  EXPECT_EQ(parse_host_and_port("node-1.example:7848").value().host, "node-1.example");
  EXPECT_EQ(parse_host_and_port("10.0.0.1:7848").value().port, 7848);
  EXPECT_EQ(parse_host_and_port("10.0.0.1:0").value().port, 0) << "any free one, where something listens";
}

TEST(HostAndPort, HasBracketsAroundColons) {
  EXPECT_EQ(parse_host_and_port("[::1]:7848").value().host, "::1");
  EXPECT_FALSE(parse_host_and_port("::1:7848"));
}

TEST(HostAndPort, IsRefusedWhenAPartIsMissing) {
  for (const char* text : {"", ":", "host", "host:", ":7848", "[]:7848", "host:x", "host:65536", "host:-1"}) {
    const auto parsed = parse_host_and_port(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid_argument);
    EXPECT_TRUE(parsed.error().message.contains("is not host:port")) << parsed.error().message;
  }
}

}  // namespace
}  // namespace cc
