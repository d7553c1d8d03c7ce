// An object store that speaks as Amazon's S3 does. Inside src/backup.
#pragma once

#include <memory>
#include <string>

#include "backup/place.h"
#include "backup/sigv4.h"
#include "backup/storage.h"
#include "backup/web.h"
#include "base/clock.h"

namespace cc::backup {

struct S3Options {
  std::string scheme = "s3";  // as people see it
  Endpoint endpoint;
  Bucket bucket;
  bool virtual_host = false;  // the bucket stands before the host, not in the path
  SigningKey key;
  Web::Options web;
};
// Large files are put in parts, of which nothing is seen until the last is there. What the store reports of each is
// held against what was sent, and a part that is not so is put again.
std::shared_ptr<Storage> s3(S3Options options, const Clock& clock);

}  // namespace cc::backup
