#include "identity/address.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cc::identity {
namespace {

TEST(AddressRange, holds_the_addresses_below_its_prefix) {
  EXPECT_TRUE(address_in_range("10.200.3.4", "10.0.0.0/8"));
  EXPECT_FALSE(address_in_range("11.0.0.1", "10.0.0.0/8"));
  EXPECT_TRUE(address_in_range("192.168.1.7", "192.168.1.7"));
  EXPECT_FALSE(address_in_range("192.168.1.8", "192.168.1.7"));
  EXPECT_TRUE(address_in_range("192.168.1.7", "192.168.1.6/31"));
  EXPECT_FALSE(address_in_range("192.168.1.8", "192.168.1.6/31"));
  EXPECT_TRUE(address_in_range("1.2.3.4", "0.0.0.0/0"));
  EXPECT_TRUE(address_in_range("fd00:1::5", "fd00::/8"));
  EXPECT_FALSE(address_in_range("fe00::5", "fd00::/8"));
  EXPECT_TRUE(address_in_range("::1", "::1"));
  EXPECT_TRUE(address_in_range("fe80::1%eth0", "fe80::/10"));
}

TEST(AddressRange, knows_an_ipv4_address_in_ipv6_clothes_and_keeps_the_families_apart) {
  EXPECT_TRUE(address_in_range("::ffff:10.1.2.3", "10.0.0.0/8"));
  EXPECT_TRUE(address_in_range("10.1.2.3", "::ffff:10.0.0.0/104"));
  EXPECT_FALSE(address_in_range("10.1.2.3", "::/0"));
  EXPECT_FALSE(address_in_range("::1", "0.0.0.0/0"));
}

TEST(AddressRange, what_is_no_address_is_in_no_range) {
  EXPECT_FALSE(address_in_range("", "0.0.0.0/0"));
  EXPECT_FALSE(address_in_range("unknown", "0.0.0.0/0"));
  EXPECT_FALSE(address_in_range("10.1.2.3", ""));
  EXPECT_FALSE(address_in_range("10.1.2.3", "10.0.0.0/x"));
}

TEST(AddressRange, is_checked_when_it_is_given) {
  for (const char* good : {"10.0.0.0/8", "192.168.1.7", "192.168.1.7/32", "fd00::/8", "::/0", "0.0.0.0/0", "::1"})
    EXPECT_TRUE(check_address_range(good)) << good;
  for (const char* bad :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/8/8", "10.0.0.0/8 ", "fd00::/129",
        "host.example", "fe80::1%eth0", "10.0.0.7/8", "fd00::1/8", "010.0.0.0/8", "::ffff:0.0.0.0/90"}) {
    const auto refused_range = check_address_range(bad);
    ASSERT_FALSE(refused_range) << bad;
    EXPECT_EQ(refused_range.error().code, Code::invalid_argument);
  }
}

TEST(AddressRange, what_hides_behind_a_zero_is_not_overlooked) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(check_address_range("10.0.0.1\0\n0.0.0.0/0"sv));
  EXPECT_FALSE(check_address_range("10.0.0.0\0/8"sv));
  EXPECT_FALSE(address_in_range("10.0.0.1\0x"sv, "10.0.0.1"));
  EXPECT_EQ(find_invalid_utf8(check_address_range("\xff").error().message), std::string::npos);
}

TEST(Network, is_what_one_client_can_have) {
  EXPECT_EQ(network_of("10.0.0.1"), network_of("::ffff:10.0.0.1"));
  EXPECT_NE(network_of("10.0.0.1"), network_of("10.0.0.2"));
  EXPECT_EQ(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(network_of("fe80::1%eth0"), network_of("fe80::2"));
  EXPECT_NE(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"));
  EXPECT_NE(network_of("::1"), network_of("0.0.0.0"));
  EXPECT_EQ(network_of("no address"), "no address");
}

}  // namespace
}  // namespace cc::identity
