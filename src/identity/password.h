// Passwords: Argon2id by libsodium. Both calls take tens of milliseconds and much memory: on a worker only.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cc::identity {

// 8 … 256 bytes of UTF-8, else invalid_argument with what is asked for.
Result<> check_password(std::string_view password);
Result<std::string> hash_password(std::string_view password);  // PHC string
bool verify_password(std::string_view hash, std::string_view password) noexcept;

}  // namespace cc::identity
