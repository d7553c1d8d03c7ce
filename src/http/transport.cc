#include "http/transport.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "http/tls.h"

namespace cc::http {
namespace {

constexpr std::size_t kOneRecord = 16u << 10;

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

void Transport::FreeSession::operator()(ssl_st* session) const noexcept {
  SSL_free(session);
}

Transport::Transport(Socket socket, TlsContext* tls)
    : socket_(std::move(socket)), ssl_(tls != nullptr ? tls->impl().session(socket_.native_handle()) : nullptr) {
  if (tls != nullptr && !ssl_) close();  // never in the clear instead
}

Transport::~Transport() = default;

Transport::Status Transport::want(int result) const {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Status::want_read;
    case SSL_ERROR_WANT_WRITE:
      return Status::want_write;
    default:
      return Status::closed;
  }
}

Transport::Progress Transport::handshake() {
  if (!ssl_) return {};
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return {};
  return {want(result), 0};
}

Transport::Progress Transport::read(char* to, std::size_t size) {
  if (ssl_) {
    ERR_clear_error();
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), to, size, &got);
    if (result == 1) return {Status::done, got};
    return {want(result), 0};
  }
  const ssize_t got = ::recv(socket_.native_handle(), to, size, MSG_DONTWAIT);
  if (got > 0) return {Status::done, static_cast<std::size_t>(got)};
  if (got < 0 && would_block()) return {Status::want_read, 0};
  return {Status::closed, 0};
}

Transport::Progress Transport::encrypted_write(std::string_view bytes) {
  Progress progress;
  while (progress.bytes < bytes.size()) {
    ERR_clear_error();
    std::size_t put = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data() + progress.bytes, bytes.size() - progress.bytes, &put);
    if (result != 1) {
      progress.status = want(result);
      return progress;
    }
    progress.bytes += put;
  }
  return progress;
}

Transport::Progress Transport::write(std::string_view first, std::string_view second) {
  if (ssl_) {
    if (first.size() + second.size() <= kOneRecord && !second.empty()) {
      thread_local std::string together;
      together.assign(first).append(second);
      return encrypted_write(together);
    }
    Progress progress = encrypted_write(first);
    if (progress.status != Status::done) return progress;
    const Progress more = encrypted_write(second);
    return {more.status, progress.bytes + more.bytes};
  }

  Progress progress;
  const std::size_t size = first.size() + second.size();
  while (progress.bytes < size) {
    const std::string_view head = first.substr(std::min(progress.bytes, first.size()));
    const std::string_view tail = second.substr(progress.bytes - (first.size() - head.size()));
    std::array<iovec, 2> pieces{iovec{const_cast<char*>(head.data()), head.size()},
                                iovec{const_cast<char*>(tail.data()), tail.size()}};
    msghdr message{};
    message.msg_iov = head.empty() ? &pieces[1] : pieces.data();
    message.msg_iovlen = head.empty() || tail.empty() ? 1 : 2;
    const ssize_t put = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) {
      progress.bytes += static_cast<std::size_t>(put);
    } else {
      progress.status = would_block() ? Status::want_write : Status::closed;
      return progress;
    }
  }
  return progress;
}

void Transport::shut_down() noexcept {
  if (ssl_ && SSL_is_init_finished(ssl_.get()) != 0) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  ::shutdown(socket_.native_handle(), SHUT_WR);
}

void Transport::close() noexcept {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace cc::http
