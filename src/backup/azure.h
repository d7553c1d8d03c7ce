// Azure's Blob Storage. Inside src/backup.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backup/place.h"
#include "backup/storage.h"
#include "backup/web.h"
#include "base/clock.h"
#include "base/result.h"

namespace cc::backup {

struct AzureAccount {
  std::string name;
  Endpoint endpoint;  // https://ACCOUNT.blob.core.windows.net, unless it is said otherwise
  std::string key;    // 64 bytes; or
  std::string sas;    // "sv=…&sig=…", which stands in each request's query
};
// As Azure's portal gives it: "AccountName=…;AccountKey=…;EndpointSuffix=…" or
// "BlobEndpoint=…;SharedAccessSignature=…". `endpoint`: of the settings, before what it says; or empty.
Result<AzureAccount> parse_connection_string(std::string_view text, std::string_view endpoint);

struct AzureOptions {
  AzureAccount account;
  Bucket container;
  Web::Options web;
};
// Large files are put in blocks, of which nothing is seen until their list is there. What was put of a file whose list
// never came the store forgets after a week.
std::shared_ptr<Storage> azure(AzureOptions options, const Clock& clock);

}  // namespace cc::backup
