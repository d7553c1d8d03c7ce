#include "base/certificate.h"

#include <ctime>

#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace cc {

std::optional<Wall> expiry_of(const ssl_ctx_st* context) {
  const X509* certificate = context == nullptr ? nullptr : SSL_CTX_get0_certificate(context);
  if (certificate == nullptr) return std::nullopt;
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&time)));
}

}  // namespace cc
