// Google's Cloud Storage with a service account. (With HMAC keys it speaks as S3 does: s3.h.) Inside src/backup.
#pragma once

#include <memory>

#include "backup/gcs_token.h"
#include "backup/place.h"
#include "backup/storage.h"
#include "backup/web.h"
#include "base/clock.h"

namespace cc::backup {

inline constexpr const char* kGoogleEndpoint = "https://storage.googleapis.com";

struct GcsOptions {
  ServiceAccount account;
  Endpoint endpoint;
  Bucket bucket;
  Web::Options web;
};
// Large files are put in pieces, and nothing is seen of them until the last. The store says how far it has come when a
// connection broke; what of an upload never ends it forgets after a week.
std::shared_ptr<Storage> gcs(GcsOptions options, const Clock& clock);

}  // namespace cc::backup
