#include "backup/storage.h"

#include <array>

#include <fmt/format.h>

#include "backup/azure.h"
#include "backup/folder.h"
#include "backup/gcs.h"
#include "backup/s3.h"
#include "base/text.h"

namespace cc::backup {
namespace {

// Words with space between.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : fmt::format("{} ", text)) {
    if (std::string_view(" \t\r\n").contains(c)) {
      if (!word.empty()) out.push_back(std::exchange(word, {}));
    } else {
      word.push_back(c);
    }
  }
  return out;
}

Result<SigningKey> signing_key(const StorageOptions& options) {
  const std::vector<std::string> words = words_of(options.credentials);
  if (words.size() != 2 && words.size() != 3) {
    return fail(Code::invalid_argument,
                "credentials are missing, or are not KEY_ID SECRET: give them as backup.storage.credentials or "
                "credentials_file, or in the environment");
  }
  return SigningKey{.id = words[0],
                    .secret = words[1],
                    .token = words.size() == 3 ? words[2] : std::string(),
                    .region = options.region};
}

Result<std::shared_ptr<Storage>> open_s3(const StorageOptions& options, S3Options how, const Clock& clock) {
  TRY(how.bucket, parse_bucket(options.path));
  TRY(how.key, signing_key(options));
  const bool given = !options.endpoint.empty();
  TRY(how.endpoint,
      parse_endpoint(given ? options.endpoint : fmt::format("https://s3.{}.amazonaws.com", options.region)));
  if (!how.endpoint.path.empty())
    return fail(Code::invalid_argument, fmt::format("the endpoint {} has a path, which S3 has not", options.endpoint));
  how.virtual_host = options.addressing == "virtual" || (options.addressing == "automatic" && !given);
  return s3(std::move(how), clock);
}

Result<std::shared_ptr<Storage>> open_azure(const StorageOptions& options, Web::Options web, const Clock& clock) {
  AzureOptions how{.web = std::move(web)};
  TRY(how.container, parse_bucket(options.path));
  TRY(how.account, parse_connection_string(options.credentials, options.endpoint));
  return azure(std::move(how), clock);
}

Result<std::shared_ptr<Storage>> open_gcs(const StorageOptions& options, Web::Options web, const Clock& clock) {
  if (!trim(options.credentials).starts_with('{')) {
    StorageOptions as_s3 = options;
    if (as_s3.endpoint.empty()) as_s3.endpoint = kGoogleEndpoint;
    as_s3.region = "auto";
    return open_s3(as_s3, {.scheme = "gs", .web = std::move(web)}, clock);
  }
  GcsOptions how{.web = std::move(web)};
  TRY(how.bucket, parse_bucket(options.path));
  TRY(how.account, parse_service_account(options.credentials));
  TRY(how.endpoint, parse_endpoint(options.endpoint.empty() ? kGoogleEndpoint : options.endpoint));
  return gcs(std::move(how), clock);
}

}  // namespace

Result<std::shared_ptr<Storage>> open_storage(const StorageOptions& options, const Clock& clock,
                                              const std::stop_token& stop) {
  const Web::Options web{.ca_file = options.ca_file, .timeout = options.timeout, .stop = stop};
  if (options.type == "s3") return open_s3(options, {.web = web}, clock);
  if (options.type == "azure") return open_azure(options, web, clock);
  if (options.type == "gcs") return open_gcs(options, web, clock);
  if (options.type == "local") return folder(options.path);
  return fail(Code::invalid_argument, fmt::format("{} is no type of storage", options.type));
}

}  // namespace cc::backup
