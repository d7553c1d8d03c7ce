// How a service account of Google's shows who it is: it signs what it wants, and is given a token for an hour.
// Inside src/backup.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace cc::backup {

struct ServiceAccount {
  std::string email, key_id, private_key;  // the last in PEM
  std::string token_uri;
};
// As Google gives it: JSON with "client_email", "private_key", "private_key_id" and "token_uri".
Result<ServiceAccount> parse_service_account(std::string_view json);

// A JSON Web Token (RS256) that asks for reading and writing objects.
Result<std::string> signed_claim(const ServiceAccount& account, Wall now);

}  // namespace cc::backup
