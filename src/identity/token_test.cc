#include "identity/token.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace cc::identity {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSecret = "a secret of at least thirty-two bytes";

const Wall kNow = Wall(1'767'225'600'678ms);

Claims claims() {
  return {.user = "张伟", .token_id = "t-1", .epoch = 17, .issued = kNow, .expires = kNow + 24h};
}

std::string signed_token(std::string_view header, std::string_view body, std::string_view secret = kSecret) {
  const std::string part = to_base64url(header) + "." + to_base64url(body);
  return part + "." + to_base64url(hmac_sha256(secret, part));
}

bool refused(std::string_view token, std::string_view secret = kSecret, Wall now = kNow) {
  const auto result = verify_token(token, secret, now);
  if (result) return false;
  EXPECT_EQ(result.error().code, Code::unauthenticated);
  EXPECT_EQ(result.error().message, "the token is not valid or has expired; log in again");
  return true;
}

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::string_view kBody = R"({"sub":"zhang","jti":"t-1","epoch":17,"iat":1767225600,"exp":1767312000})";

TEST(Token, says_what_it_was_issued_for_to_the_millisecond) {
  const Claims read = verify_token(issue_token(claims(), kSecret), kSecret, kNow).value();
  EXPECT_EQ(read.user, "张伟");
  EXPECT_EQ(read.token_id, "t-1");
  EXPECT_EQ(read.epoch, 17u);
  EXPECT_EQ(read.issued, kNow);
  EXPECT_EQ(read.expires, kNow + 24h);
}

TEST(Token, an_epoch_comes_back_to_the_last_digit) {
  Claims large = claims();
  large.epoch = (Revision{1} << 62) + 1;
  EXPECT_EQ(verify_token(issue_token(large, kSecret), kSecret, kNow).value().epoch, large.epoch);
}

TEST(Token, of_another_maker_of_jwt_is_read_too) {
  const Claims read = verify_token(signed_token(kHeader, kBody), kSecret, kNow).value();
  EXPECT_EQ(read.user, "zhang");
  EXPECT_EQ(read.issued, Wall(1'767'225'600s));
}

TEST(Token, ends_when_it_expires) {
  const std::string token = issue_token(claims(), kSecret);
  EXPECT_TRUE(verify_token(token, kSecret, kNow + 24h - 1ms));
  EXPECT_TRUE(refused(token, kSecret, kNow + 24h));
}

TEST(Token, of_another_secret_is_refused) {
  EXPECT_TRUE(refused(issue_token(claims(), "another secret of at least 32 bytes"), kSecret));
  EXPECT_TRUE(refused(issue_token(claims(), ""), ""));
}

TEST(Token, is_refused_after_any_change) {
  const std::string token = issue_token(claims(), kSecret);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_TRUE(refused(changed)) << i;
  }
  EXPECT_TRUE(refused(token + "A"));
  EXPECT_TRUE(refused(token.substr(0, token.size() - 1)));
  EXPECT_TRUE(refused(token + "."));
}

TEST(Token, no_algorithm_but_hs256_is_believed_even_under_our_signature) {
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"hs256"})", R"({"alg":"HS512"})", R"({"alg":"RS256"})",
        R"({"alg":["HS256"]})", R"({"typ":"JWT"})", "[]", "null", "", R"({"alg":"HS256","crit":["exp"]})"}) {
    EXPECT_TRUE(refused(signed_token(header, kBody))) << header;
  }
  EXPECT_TRUE(refused(to_base64url(R"({"alg":"none"})") + "." + to_base64url(kBody) + "."));
}

TEST(Token, without_all_its_claims_is_refused) {
  for (const char* body :
       {R"({"jti":"t","epoch":1,"iat":1767225600,"exp":1767312000})",
        R"({"sub":"z","epoch":1,"iat":1,"exp":1767312000})", R"({"sub":"z","jti":"t","epoch":1,"exp":1767312000})",
        R"({"sub":"z","jti":"t","epoch":1,"iat":1767225600})", R"({"sub":"z","jti":"t","iat":1,"exp":1767312000})",
        R"({"sub":"z","jti":"t","epoch":"1","iat":1,"exp":1767312000})",
        R"({"sub":"z","jti":"t","epoch":1.0,"iat":1,"exp":1767312000})",
        R"({"sub":"z","jti":"t","epoch":-1,"iat":1,"exp":1767312000})",
        R"({"sub":"z","jti":"t","epoch":1,"iat":1767225600,"exp":"1767312000"})",
        R"({"sub":"z","jti":"t","epoch":1,"iat":1767225600,"exp":1e300})",
        R"({"sub":"z","jti":"t","epoch":1,"iat":-5,"exp":1767312000})",
        R"({"sub":["z"],"jti":"t","epoch":1,"iat":1767225600,"exp":1767312000})",
        R"({"sub":"","jti":"t","epoch":1,"iat":1767225600,"exp":1767312000})", "7", "", "{"}) {
    EXPECT_TRUE(refused(signed_token(kHeader, body))) << body;
  }
}

TEST(Token, what_is_no_token_is_refused) {
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."), std::string("..."),
                                 std::string("a.b.c"), std::string(1'000'000, 'A'), std::string("\0.\0.\0", 5)}) {
    EXPECT_TRUE(refused(bad));
  }
  const std::string one_part = to_base64url(kBody);
  EXPECT_TRUE(refused(one_part + "." + to_base64url(hmac_sha256(kSecret, one_part))));
}

TEST(AccessKey, shows_its_id_and_hashes_whole) {
  const NewAccessKey key = make_access_key(random_bytes(32));
  EXPECT_TRUE(key.id.starts_with("ck_"));
  EXPECT_TRUE(key.text.starts_with(key.id + "_"));
  EXPECT_GE(key.text.size() - key.id.size(), 64u);
  EXPECT_EQ(key.secret_hash, hash_access_key(key.text));
  EXPECT_EQ(key.secret_hash.size(), 64u);
  const NewAccessKey other = make_access_key(random_bytes(32));
  EXPECT_NE(key.id, other.id);
  EXPECT_NE(key.text, other.text);
}

TEST(AccessKey, is_the_same_for_the_same_seed_only) {
  const std::string seed(32, 's');
  EXPECT_EQ(make_access_key(seed).text, make_access_key(seed).text);
  EXPECT_NE(make_access_key(seed).text, make_access_key(std::string(32, 't')).text);
}

}  // namespace
}  // namespace cc::identity
