// Tokens of users (JWT, HS256) and keys of applications.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "model/words.h"

namespace cc::identity {

struct Claims {
  std::string user;
  std::string token_id;
  Revision epoch = 0;  // the user's, when it was issued: User::token_epoch
  Wall issued{};
  Wall expires{};
};

std::string issue_token(const Claims& claims, std::string_view secret);
// unauthenticated unless the signature is ours, the algorithm is HS256 and it has not expired.
Result<Claims> verify_token(std::string_view token, std::string_view secret, Wall now);

struct NewAccessKey {
  std::string id, text, secret_hash;
};  // text is shown once: "ck_<id>_<secret>"
// The same for the same seed of at least 32 unguessable bytes: a repeated request shows the key it made before.
NewAccessKey make_access_key(std::string_view seed);
std::string hash_access_key(std::string_view text);

}  // namespace cc::identity
