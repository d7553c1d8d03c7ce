#include "identity/password.h"

#include <gtest/gtest.h>
#include <sodium.h>

namespace cc::identity {
namespace {

TEST(Password, is_verified_by_its_hash_and_by_no_other) {
  const std::string hash = hash_password("correct horse").value();
  EXPECT_TRUE(verify_password(hash, "correct horse"));
  EXPECT_FALSE(verify_password(hash, "correct horsf"));
  EXPECT_FALSE(verify_password(hash, ""));
}

TEST(Password, is_hashed_by_argon2id_with_a_salt_of_its_own) {
  const std::string one = hash_password("correct horse").value();
  EXPECT_TRUE(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << one;
  EXPECT_NE(one, hash_password("correct horse").value());
  EXPECT_EQ(one.find("correct"), std::string::npos);
}

TEST(Password, what_is_no_hash_verifies_nothing) {
  for (const std::string& bad : {std::string(), std::string("x"), std::string("$argon2id$"), std::string(4096, '$'),
                                 std::string("correct horse")}) {
    EXPECT_FALSE(verify_password(bad, "correct horse"));
  }
}

TEST(Password, of_nobody_takes_the_work_of_somebodys_and_is_never_right) {
  const std::string mine = hash_password("correct horse").value();
  const std::string nobodys(kHashOfNobody);
  EXPECT_EQ(nobodys.size(), mine.size());
  EXPECT_EQ(nobodys.substr(0, nobodys.rfind('$', nobodys.rfind('$') - 1)),
            mine.substr(0, mine.rfind('$', mine.rfind('$') - 1)))
      << "another algorithm, or other limits";
  EXPECT_EQ(crypto_pwhash_str_needs_rehash(nobodys.c_str(), 2, 19u << 20), 0) << "not to be parsed";
  EXPECT_FALSE(verify_password("", "correct horse"));
  EXPECT_FALSE(verify_password("", ""));
}

TEST(Password, must_be_eight_bytes_of_text) {
  EXPECT_TRUE(check_password("12345678"));
  EXPECT_TRUE(check_password("密码密码"));
  EXPECT_TRUE(check_password(std::string(256, 'x')));
  for (const std::string& bad : {std::string("1234567"), std::string(257, 'x'), std::string("\xff\xfe 345678"),
                                 std::string("1234\0005678", 9)}) {
    const auto refused = check_password(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
    EXPECT_EQ(refused.error().message.find(bad), std::string::npos);
  }
}

}  // namespace
}  // namespace cc::identity
