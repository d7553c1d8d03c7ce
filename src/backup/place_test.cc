#include "backup/place.h"

#include <gtest/gtest.h>

namespace cc::backup {
namespace {

TEST(Endpoint, IsAHostWithOrWithoutAPath) {
  EXPECT_EQ(parse_endpoint("https://store.example.com/").value().url(), "https://store.example.com");
  const Endpoint local = parse_endpoint("http://127.0.0.1:10000/account").value();
  EXPECT_EQ(local.authority, "127.0.0.1:10000");
  EXPECT_EQ(local.path, "/account");
  for (const char* wrong : {"", "store.example.com", "ftp://store", "https://", "https://user@store", "https://s/?a=b"})
    EXPECT_FALSE(parse_endpoint(wrong)) << wrong;
}

TEST(Bucket, HasAPrefixThatEndsInASlash) {
  EXPECT_EQ(parse_bucket("backups").value().prefix, "");
  EXPECT_EQ(parse_bucket("backups/").value().prefix, "");
  EXPECT_EQ(parse_bucket("backups/of/shop").value().prefix, "of/shop/");
  EXPECT_FALSE(parse_bucket(""));
  EXPECT_FALSE(parse_bucket("/backups"));
}

TEST(Bucket, HoldsWhatStandsRightBelowThePrefix) {
  const Bucket bucket{.name = "backups", .prefix = "shop/"};
  EXPECT_EQ(name_below(bucket, "shop/one"), "one");
  EXPECT_EQ(name_below(bucket, "shop/older/one"), "");
  EXPECT_EQ(name_below(bucket, "shopping/one"), "");
  EXPECT_EQ(name_below(bucket, "shop/"), "");
}

}  // namespace
}  // namespace cc::backup
