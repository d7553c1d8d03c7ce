#include "backup/gcs_token.h"

#include <memory>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/bytes.h"

namespace cc::backup {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/devstorage.read_write";
constexpr std::string_view kTokenUri = "https://oauth2.googleapis.com/token";
constexpr std::chrono::seconds kHour{3600};

std::unexpected<Error> useless(std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("the key of the service account is of no use: {}", why));
}

// RSA, PKCS #1, over SHA-256.
Result<std::string> signature(const std::string& private_key, std::string_view text) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(
      BIO_new_mem_buf(private_key.data(), static_cast<int>(private_key.size())), &BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) return useless("its private_key is no RSA key in PEM");
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::string out(static_cast<std::size_t>(EVP_PKEY_size(key.get())), '\0');
  std::size_t length = out.size();
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &length,
                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1) {
    return useless("its private_key cannot sign");
  }
  out.resize(length);
  return out;
}

}  // namespace

Result<ServiceAccount> parse_service_account(std::string_view json) {
  boost::system::error_code wrong;
  const auto parsed = boost::json::parse(json, wrong);
  if (wrong || !parsed.is_object()) return useless("it is no JSON");
  const auto text = [&](std::string_view name) {
    const auto* found = parsed.get_object().if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  ServiceAccount out{.email = text("client_email"),
                     .key_id = text("private_key_id"),
                     .private_key = text("private_key"),
                     .token_uri = text("token_uri")};
  if (out.email.empty() || out.private_key.empty()) return useless("it has no client_email, or no private_key");
  if (out.token_uri.empty()) out.token_uri = kTokenUri;
  TRYV(signature(out.private_key, ""));
  return out;
}

Result<std::string> signed_claim(const ServiceAccount& account, Wall now) {
  const auto issued = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  const boost::json::object header{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", account.key_id}};
  const boost::json::object claim{{"iss", account.email},
                                  {"scope", kScope},
                                  {"aud", account.token_uri},
                                  {"iat", issued.count()},
                                  {"exp", (issued + kHour).count()}};
  std::string out =
      fmt::format("{}.{}", to_base64url(boost::json::serialize(header)), to_base64url(boost::json::serialize(claim)));
  TRY(const std::string signed_by, signature(account.private_key, out));
  return out + "." + to_base64url(signed_by);
}

}  // namespace cc::backup
