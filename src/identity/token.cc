#include "identity/token.h"

#include <algorithm>
#include <cmath>

#include <boost/json.hpp>

#include "base/bytes.h"

namespace cc::identity {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestToken = 4096;

// Seconds with milliseconds behind the point, as RFC 7519 allows.
double numeric_date(Wall time) {
  return static_cast<double>(time.time_since_epoch().count()) / 1000.0;
}

std::optional<Wall> time_in(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double seconds = value->to_number<double>();
  if (!(seconds >= 0 && seconds < 1e11)) return std::nullopt;
  return Wall(std::chrono::milliseconds(std::llround(seconds * 1000)));
}

std::optional<Revision> revision_in(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (value == nullptr || value->is_double()) return std::nullopt;
  boost::system::error_code error;
  const auto revision = value->to_number<Revision>(error);
  if (error) return std::nullopt;
  return revision;
}

std::optional<std::string> text_in(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (value == nullptr || !value->is_string() || value->get_string().empty()) return std::nullopt;
  return std::string(value->get_string());
}

std::optional<json::object> object_in(std::string_view part) {
  const auto bytes = from_base64url(part);
  if (!bytes) return std::nullopt;
  boost::system::error_code error;
  json::value value = json::parse(*bytes, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value).as_object();
}

std::string signature_of(std::string_view signed_part, std::string_view secret) {
  return to_base64url(hmac_sha256(secret, signed_part));
}

}  // namespace

std::string issue_token(const Claims& claims, std::string_view secret) {
  static const std::string header = to_base64url(R"({"alg":"HS256","typ":"JWT"})");
  const json::object body{{"sub", claims.user},
                          {"jti", claims.token_id},
                          {"epoch", claims.epoch},
                          {"iat", numeric_date(claims.issued)},
                          {"exp", numeric_date(claims.expires)}};
  std::string token = header + "." + to_base64url(json::serialize(body));
  const std::string signature = signature_of(token, secret);
  return token + "." + signature;
}

Result<Claims> verify_token(std::string_view token, std::string_view secret, Wall now) {
  const auto refused = fail(Code::unauthenticated, "the token is not valid or has expired; log in again");
  const std::size_t second_dot = token.rfind('.');
  if (secret.empty() || token.size() > kLongestToken || second_dot == std::string_view::npos) return refused;
  const std::string_view signed_part = token.substr(0, second_dot);
  // Nothing is parsed that we have not signed.
  if (!equal_in_constant_time(token.substr(second_dot + 1), signature_of(signed_part, secret))) return refused;
  const std::size_t first_dot = signed_part.find('.');
  if (first_dot == std::string_view::npos) return refused;
  const auto header = object_in(signed_part.substr(0, first_dot));
  const auto body = object_in(signed_part.substr(first_dot + 1));
  if (!header || !body || text_in(*header, "alg") != "HS256" || header->contains("crit")) return refused;
  const auto user = text_in(*body, "sub"), id = text_in(*body, "jti");
  const auto epoch = revision_in(*body, "epoch");
  const auto issued = time_in(*body, "iat"), expires = time_in(*body, "exp");
  if (!user || !id || !epoch || !issued || !expires || *expires <= now) return refused;
  return Claims{.user = *user, .token_id = *id, .epoch = *epoch, .issued = *issued, .expires = *expires};
}

NewAccessKey make_access_key(std::string_view seed) {
  NewAccessKey key;
  // Hexadecimal and letters only, so that a double click takes the whole of it.
  key.id = "ck_" + to_hex(hmac_sha256(seed, "id").substr(0, 8));
  key.text = key.id + "_" + to_hex(hmac_sha256(seed, "secret"));
  key.secret_hash = hash_access_key(key.text);
  return key;
}

std::string hash_access_key(std::string_view text) {
  return sha256_hex(text);
}

}  // namespace cc::identity
