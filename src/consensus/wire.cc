#include "consensus/wire.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>

namespace cc::consensus {
namespace {

using boost::system::error_code;
namespace ssl = asio::ssl;

auto into(error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

std::unexpected<Error> useless(std::string_view what, const Path& file, const error_code& error) {
  return fail(Code::invalid_argument,
              fmt::format("read the {} {} for the connections between nodes: {}; it must be a readable PEM file", what,
                          file.string(), error.message()));
}

// The other side does not trust the certificate of this one, or misses it.
bool is_refused_certificate(const error_code& error) {
  if (error.category() != asio::error::get_ssl_category()) return false;
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  return reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED || reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE ||
         reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE || reason == SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED ||
         reason == SSL_R_TLSV1_ALERT_UNKNOWN_CA || reason == SSL_R_TLSV1_ALERT_DECRYPT_ERROR;
}

}  // namespace

Result<TlsContextPtr> load_tls(const Path& certificate_file, const Path& key_file, const Path& ca_file) {
  if (certificate_file.empty() && key_file.empty() && ca_file.empty()) return nullptr;
  if (certificate_file.empty() || key_file.empty() || ca_file.empty()) {
    return fail(Code::invalid_argument,
                "TLS between nodes needs three files: the certificate, its key, and the CA that signs those of all "
                "nodes; give all of them or none");
  }
  auto context = std::make_shared<TlsContext>(TlsContext::tls);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  error_code error;
  context->use_certificate_chain_file(certificate_file.string(), error);
  if (error) return useless("certificate", certificate_file, error);
  context->use_private_key_file(key_file.string(), TlsContext::pem, error);
  if (error) return useless("key", key_file, error);
  context->load_verify_file(ca_file.string(), error);
  if (error) return useless("CA", ca_file, error);
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  return context;
}

// --- all of them ---

void Wires::check(Mono now) {
  for (Wire* const wire : wires_)
    wire->check(now);
}

void Wires::close_all() {
  closed_ = true;
  for (Wire* const wire : wires_)
    wire->close();
}

// --- one ---

// One that waits for the other side.
class Wire::Operation {
 public:
  explicit Operation(Wire& wire) : wire_(wire) {
    wire_.moved_ = Mono::clock::now();
    ++wire_.operations_;
  }
  ~Operation() { --wire_.operations_; }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

 private:
  Wire& wire_;
};

Wire::Wire(asio::io_context& io, Wires& all, TlsContextPtr tls) : Wire(Socket(io), all, std::move(tls)) {}

Wire::Wire(Socket socket, Wires& all, TlsContextPtr tls)
    : socket_(std::move(socket)),
      context_(std::move(tls)),
      tls_(context_ ? std::make_unique<ssl::stream<Socket&>>(socket_, *context_) : nullptr),
      all_(all),
      place_(all.wires_.insert(all.wires_.end(), this)) {
  if (all_.closed_) close();
}

Wire::~Wire() {
  all_.wires_.erase(place_);
}

void Wire::check(Mono now) {
  const bool late = limit_ && now >= *limit_;
  const bool stalled = longest_stall_ && operations_ > 0 && now - moved_ >= *longest_stall_;
  if (!late && !stalled) return;
  expired_ = true;
  close();
}

void Wire::close() {
  error_code ignored;
  socket_.close(ignored);
}

void Wire::notice_silence(std::chrono::milliseconds after) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  const auto milliseconds = static_cast<unsigned>(after.count());
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}

Error Wire::failure(const error_code& error) const {
  if (expired_) return {Code::timeout, "it takes too long to answer"};
  if (const long verified = tls_ ? SSL_get_verify_result(tls_->native_handle()) : X509_V_OK; verified != X509_V_OK) {
    return {Code::permission_denied,
            fmt::format("its certificate is not trusted: {}", X509_verify_cert_error_string(verified))};
  }
  if (is_refused_certificate(error)) {
    return {Code::permission_denied,
            fmt::format("it does not trust the certificate of this node ({})", error.message())};
  }
  if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor)
    return {Code::unavailable, "this node closed the connection"};
  if (error == asio::error::eof || error == ssl::error::stream_truncated) {
    return {Code::unavailable, "it closed the connection"};
  }
  return {Code::unavailable, error.message()};
}

Task<Result<>> Wire::connect(asio::ip::tcp::endpoint to) {
  if (all_.closed_) co_return fail(Code::unavailable, "the node is shutting down");
  const Operation operation(*this);
  error_code error;
  co_await socket_.async_connect(to, into(error));
  if (error) co_return fail(failure(error));
  co_return Result<>{};
}

Task<Result<>> Wire::shake_hands(Side side) {
  if (!tls_) co_return Result<>{};
  const Operation operation(*this);
  error_code error;
  co_await tls_->async_handshake(side == Side::dialer ? ssl::stream_base::client : ssl::stream_base::server,
                                 into(error));
  if (error) co_return fail(failure(error));
  co_return Result<>{};
}

Task<Result<std::size_t>> Wire::read_some(char* to, std::size_t size) {
  const Operation operation(*this);
  error_code error;
  const std::size_t got = tls_ ? co_await tls_->async_read_some(asio::buffer(to, size), into(error))
                               : co_await socket_.async_read_some(asio::buffer(to, size), into(error));
  if (error) co_return fail(failure(error));
  co_return got;
}

Task<Result<>> Wire::read(std::string& to, std::size_t size) {
  const std::size_t begin = to.size();
  to.resize(begin + size);
  for (std::size_t got = 0; got < size;) {
    CO_TRY(const std::size_t more, co_await read_some(to.data() + begin + got, size - got));
    got += more;
  }
  co_return Result<>{};
}

Task<Result<>> Wire::write(std::string_view bytes) {
  const Operation operation(*this);
  while (!bytes.empty()) {
    error_code error;
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    const std::size_t put = tls_ ? co_await tls_->async_write_some(buffer, into(error))
                                 : co_await socket_.async_write_some(buffer, into(error));
    if (error) co_return fail(failure(error));
    bytes.remove_prefix(put);
    moved_ = Mono::clock::now();
  }
  co_return Result<>{};
}

void Wire::finish(std::chrono::milliseconds patience) {
  limit_ = Mono::clock::now() + patience;
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

Task<> Wire::linger(std::chrono::milliseconds patience) {
  finish(patience);
  std::array<char, 4096> unread{};
  for (error_code error; !error;)
    co_await socket_.async_read_some(asio::buffer(unread), into(error));  // below TLS: it may have failed
  close();
}

}  // namespace cc::consensus
