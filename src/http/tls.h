// The OpenSSL side of TlsContext. Sessions read and write their socket themselves, without waiting.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "http/server.h"

struct ssl_st;
struct ssl_ctx_st;

namespace cc::http {

struct TlsContext::Impl {
  // A new server session on a socket, which must outlive it; null when OpenSSL has no memory for it. Thread-safe.
  ssl_st* session(int socket);

  std::string certificate_file, key_file, client_ca_file;
  std::mutex mutex;
  std::shared_ptr<ssl_ctx_st> current;  // guarded by mutex
};

}  // namespace cc::http
