#include "base/test_certificate.h"

#include <cstdio>
#include <memory>
#include <utility>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace cc {
namespace {

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void save(const Path& path, X509* certificate, EVP_PKEY* key) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
  if (certificate != nullptr) PEM_write_X509(file.get(), certificate);
  if (key != nullptr) PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

}  // namespace

TestAuthority::TestAuthority(Path directory) : directory_(std::move(directory)), key_(EVP_EC_gen("P-256")) {
  certificate_ = make("Test CA", key_, key_, nullptr, "");
  save(directory_ / "ca.pem", certificate_, nullptr);
}

TestAuthority::~TestAuthority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

void TestAuthority::issue(const std::string& name, const std::string& names) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = make(name, key, key_, certificate_, names);
  save(certificate_file(name), certificate, nullptr);
  save(key_file(name), nullptr, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

X509* TestAuthority::make(const std::string& name, EVP_PKEY* key, EVP_PKEY* signer, X509* issuer,
                          const std::string& names) {
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate, issuer == nullptr ? subject : X509_get_subject_name(issuer));
  extend(certificate, issuer == nullptr ? certificate : issuer, NID_basic_constraints,
         issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
  if (!names.empty()) extend(certificate, issuer, NID_subject_alt_name, names);
  X509_sign(certificate, signer, EVP_sha256());
  return certificate;
}

}  // namespace cc
