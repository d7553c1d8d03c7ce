// Passwords: Argon2id by libsodium. Hashing and verifying take tens of milliseconds and much memory: on a worker only.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cc::identity {

// 8 … 256 bytes of UTF-8, else invalid_argument with what is asked for.
Result<> check_password(std::string_view password);
Result<std::string> hash_password(std::string_view password);  // PHC string

// What is verified in place of the hash of who is not there: as hash_password() makes them, of zeros.
inline constexpr std::string_view kHashOfNobody =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
// For the hash "" no password is right, and finding out takes as long as for somebody's.
bool verify_password(std::string_view hash, std::string_view password) noexcept;

}  // namespace cc::identity
