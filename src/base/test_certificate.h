// Certificates for tests, made on the spot: a CA and what it signs.
#pragma once

#include <string>

#include "base/file.h"

struct evp_pkey_st;
struct x509_st;

namespace cc {

class TestAuthority {
 public:
  explicit TestAuthority(Path directory);
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  std::string ca_file() const { return (directory_ / "ca.pem").string(); }
  // Writes <name>.pem and <name>.key for 127.0.0.1 and localhost; over what was there.
  std::string certificate_file(const std::string& name) const { return (directory_ / (name + ".pem")).string(); }
  std::string key_file(const std::string& name) const { return (directory_ / (name + ".key")).string(); }
  void issue(const std::string& name, const std::string& names = "IP:127.0.0.1,DNS:localhost");

 private:
  x509_st* make(const std::string& name, evp_pkey_st* key, evp_pkey_st* signer, x509_st* issuer,
                const std::string& names);

  Path directory_;
  evp_pkey_st* key_;
  x509_st* certificate_ = nullptr;
  long serial_ = 0;
};

}  // namespace cc
