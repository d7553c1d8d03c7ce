// The bytes of one connection between nodes, plain TCP or TLS. Belongs to the network's thread.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/task.h"
#include "consensus/handshake.h"

namespace cc::consensus {

using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;
using TlsContext = asio::ssl::context;
using TlsContextPtr = std::shared_ptr<TlsContext>;

// Certificate, key and CA of a node: both sides show a certificate that the CA has signed, whatever name stands in it.
// Null when no file is given; invalid_argument when they are of no use.
Result<TlsContextPtr> load_tls(const Path& certificate_file, const Path& key_file, const Path& ca_file);

class Wire;

// All that there are: so that those whose time is up are found, and all end when the network does.
class Wires {
 public:
  void check(Mono now);
  void close_all();  // those to come, too

 private:
  friend class Wire;
  std::list<Wire*> wires_;
  bool closed_ = false;
};

class Wire {
 public:
  // `tls` null: plain. `io` and `all` outlive it.
  Wire(asio::io_context& io, Wires& all, TlsContextPtr tls);
  Wire(Socket socket, Wires& all, TlsContextPtr tls);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // Errors say what happened, as half a sentence: whoever called knows with whom.
  Task<Result<>> connect(asio::ip::tcp::endpoint to);
  Task<Result<>> shake_hands(Side side);  // TLS, when there is any; permission_denied: a certificate is not trusted
  Task<Result<std::size_t>> read_some(char* to, std::size_t size);
  Task<Result<>> read(std::string& to, std::size_t size);  // as many, appended
  Task<Result<>> write(std::string_view bytes);
  // Nothing more will be written. Who closed now would take away what the other side has not read: whoever reads must
  // go on until it closes, or the time is up.
  void finish(std::chrono::milliseconds patience);
  Task<> linger(std::chrono::milliseconds patience);  // finish(), and that reading
  void close();
  bool is_open() const { return socket_.is_open(); }

  // A peer that does not acknowledge bytes for so long is gone.
  void notice_silence(std::chrono::milliseconds after);
  // It is closed, with `timeout`, after that; nullopt: never.
  void limit(std::optional<Mono> at) { limit_ = at; }
  // ... and when an operation does not get a single byte further for so long.
  void limit_stall(std::chrono::milliseconds longest) { longest_stall_ = longest; }

 private:
  friend class Wires;
  class Operation;
  void check(Mono now);
  Error failure(const boost::system::error_code& error) const;

  Socket socket_;
  const TlsContextPtr context_;
  std::unique_ptr<asio::ssl::stream<Socket&>> tls_;
  Wires& all_;
  std::list<Wire*>::iterator place_;
  std::optional<Mono> limit_;
  std::optional<std::chrono::milliseconds> longest_stall_;
  Mono moved_{};        // when the operation that goes on began
  int operations_ = 0;  // that go on
  bool expired_ = false;
};

}  // namespace cc::consensus
