#include "identity/password.h"

#include <array>

#include <sodium.h>

#include "base/text.h"

namespace cc::identity {
namespace {

constexpr std::size_t kShortest = 8, kLongest = 256;

// What OWASP asks of Argon2id at least: 19 MiB, two passes. More would let a handful of logins fill the memory of
// a small node.
constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemory = 19u << 20;

bool sodium_ready() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

}  // namespace

Result<> check_password(std::string_view password) {
  if (password.size() < kShortest || password.size() > kLongest) {
    return fail(Code::invalid_argument, "a password has 8 to 256 bytes; take a longer sentence, not a harder word");
  }
  if (find_invalid_utf8(password) != std::string_view::npos || password.find('\0') != std::string_view::npos)
    return fail(Code::invalid_argument, "a password is UTF-8 text; this one is not");
  return {};
}

Result<std::string> hash_password(std::string_view password) {
  std::array<char, crypto_pwhash_STRBYTES> out{};
  if (!sodium_ready() || crypto_pwhash_str_alg(out.data(), password.data(), password.size(), kPasses, kMemory,
                                               crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(Code::unavailable, "there is no memory to hash a password; try again");
  }
  return std::string(out.data());
}

bool verify_password(std::string_view hash, std::string_view password) noexcept {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (!sodium_ready() || hash.size() >= text.size()) return false;
  const std::string_view looked_at = hash.empty() ? kHashOfNobody : hash;
  looked_at.copy(text.data(), looked_at.size());
  const bool right = crypto_pwhash_str_verify(text.data(), password.data(), password.size()) == 0;
  return right && !hash.empty();
}

}  // namespace cc::identity
