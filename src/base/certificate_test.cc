#include "base/certificate.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "base/file.h"
#include "base/test_certificate.h"

namespace cc {
namespace {

TEST(Certificate, tells_until_when_it_is_valid) {
  const TempDirectory folder;
  TestAuthority authority(folder.path());
  authority.issue("one");
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  EXPECT_FALSE(expiry_of(nullptr));
  EXPECT_FALSE(expiry_of(context.get()));
  ASSERT_EQ(SSL_CTX_use_certificate_chain_file(context.get(), authority.certificate_file("one").c_str()), 1);
  const auto expires = expiry_of(context.get());
  ASSERT_TRUE(expires);
  const Wall now = SystemClock().wall();
  EXPECT_GT(*expires, now);
  EXPECT_LT(*expires, now + std::chrono::years(100));
}

}  // namespace
}  // namespace cc
