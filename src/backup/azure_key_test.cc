#include "backup/azure_key.h"

#include <gtest/gtest.h>

#include "backup/azure.h"
#include "base/bytes.h"

namespace cc::backup {
namespace {

// The example of Azure's documentation, "Authorize with Shared Key".
TEST(AzureKey, SignsWhatTheDocumentationSigns) {
  const AzureRequest request{
      .method = "GET",
      .path = "/mycontainer",
      .query = {{"restype", "container"}, {"comp", "metadata"}, {"timeout", "20"}},
      .headers = {{"x-ms-version", "2015-02-21"}, {"x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"}}};
  EXPECT_EQ(azure_string_to_sign(request, "myaccount"),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
            "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20");
}

TEST(AzureKey, NamesTheLengthOfABodyWhereThereIsOne) {
  AzureRequest request{.method = "PUT", .path = "/c/b", .headers = {{"content-type", "text/plain"}}};
  EXPECT_EQ(azure_string_to_sign(request, "a"), "PUT\n\n\n\n\ntext/plain\n\n\n\n\n\n\n/a/c/b");
  request.body_bytes = 11;
  EXPECT_EQ(azure_string_to_sign(request, "a"), "PUT\n\n\n11\n\ntext/plain\n\n\n\n\n\n\n/a/c/b");
}

TEST(ConnectionString, IsReadAsThePortalGivesIt) {
  const auto account =
      parse_connection_string(
          "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=a2V5;EndpointSuffix=core.chinacloudapi.cn", "")
          .value();
  EXPECT_EQ(account.endpoint.url(), "https://shop.blob.core.chinacloudapi.cn");
  EXPECT_EQ(account.key, "key");
  const auto shared =
      parse_connection_string(
          "BlobEndpoint=https://shop.blob.core.windows.net/;SharedAccessSignature=?sv=2021&sig=a%2Bb", "")
          .value();
  EXPECT_EQ(shared.name, "shop");
  EXPECT_EQ(shared.sas, "sv=2021&sig=a%2Bb");
  EXPECT_EQ(
      parse_connection_string("AccountName=shop;AccountKey=a2V5", "http://127.0.0.1:10000/shop").value().endpoint.path,
      "/shop");
  EXPECT_FALSE(parse_connection_string("shop a2V5", ""));
}

}  // namespace
}  // namespace cc::backup
