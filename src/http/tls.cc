#include "http/tls.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/certificate.h"

namespace cc::http {
namespace {

// OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE in programs that do not ignore it.
int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto socket = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  const ssize_t put = ::send(socket, bytes, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(put);
}

int bio_read(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  const auto socket = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  const ssize_t got = ::recv(socket, to, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

// ALPN: HTTP/1.1 is what there is.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                    void*) {
  static constexpr unsigned char kOffered[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kOffered, sizeof kOffered - 1, in, in_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Error tls_error(std::string_view doing, const std::string& file) {
  char reason[256] = "unknown";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  return {Code::invalid_argument, fmt::format("{} {}: {}; it must be a readable PEM file", doing, file, reason)};
}

Result<std::shared_ptr<SSL_CTX>> make_context(const TlsContext::Impl& files) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return fail(Code::internal, "OpenSSL has no TLS context for us");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate_file.c_str()) != 1)
    return fail(tls_error("read the TLS certificate", files.certificate_file));
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return fail(tls_error("read the TLS key", files.key_file));
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    ERR_clear_error();
    return fail(Code::invalid_argument, fmt::format("the TLS key {} does not belong to the certificate {}",
                                                    files.key_file, files.certificate_file));
  }
  if (!files.client_ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context.get(), files.client_ca_file.c_str()) != 1)
      return fail(tls_error("read the CA of clients", files.client_ca_file));
    SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(files.client_ca_file.c_str()));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // Resumed sessions are tied to this server, as OpenSSL demands when clients show certificates.
    static constexpr unsigned char kSessionContext[] = "config-center";
    SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof kSessionContext - 1);
  }
  return context;
}

}  // namespace

ssl_st* TlsContext::Impl::session(int socket) {
  std::shared_ptr<SSL_CTX> context;
  {
    const std::lock_guard lock(mutex);
    context = current;
  }
  SSL* session = SSL_new(context.get());
  BIO* bio = BIO_new(socket_method());
  if (session == nullptr || bio == nullptr) {
    SSL_free(session);
    BIO_free(bio);
    return nullptr;
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a pointer is all that OpenSSL keeps for us
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(session, bio, bio);
  SSL_set_accept_state(session);
  return session;
}

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::load(const std::string& certificate_file, const std::string& key_file,
                                                     const std::string& client_ca_file) {
  auto impl = std::make_unique<Impl>();
  impl->certificate_file = certificate_file;
  impl->key_file = key_file;
  impl->client_ca_file = client_ca_file;
  std::shared_ptr<TlsContext> context(new TlsContext(std::move(impl)));
  TRYV(context->reload());
  return context;
}

Result<> TlsContext::reload() {
  TRY(auto made, make_context(*impl_));
  const std::lock_guard lock(impl_->mutex);
  impl_->current = std::move(made);
  return {};
}

std::optional<Wall> TlsContext::expires() {
  const std::lock_guard lock(impl_->mutex);
  return expiry_of(impl_->current.get());
}

}  // namespace cc::http
