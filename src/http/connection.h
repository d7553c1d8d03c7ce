// One connection: receive a request, have it answered, send the answer, again.
//
// run() is the only coroutine of a connection and has no state of its own that is large: everything that parses or
// writes is an ordinary function that does what it can and says what it would wait for. While a handler waits, a
// connection holds neither read buffer nor parser.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/cancellation_signal.hpp>

#include "http/exchange.h"
#include "http/parser.h"
#include "http/router.h"
#include "http/transport.h"

namespace cc::http {

class Connections;

class Connection {
 public:
  Connection(Connections& all, Socket socket, std::string remote_address, bool refused);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Task<> run();

  asio::cancellation_signal& signal() { return signal_; }
  bool refused() const { return refused_; }

  // Of the sweep and of stopping. All may end the connection, and destroy it, before they return.
  void check_deadline(Mono now);
  void close_when_idle();
  void abort();  // the client left, or the time to stop is over
  // Whether a handler works on its request, and did so at the last call already: then it is worth a look whether the
  // client is still there.
  bool has_long_waited();
  int descriptor() { return transport_.socket().native_handle(); }

 private:
  // What the time limit is for.
  enum class Phase : unsigned char { handshake, idle, header, body, handling, sending, lingering };
  enum class Received : unsigned char { request, more, refused, closed };
  friend class ChunkWriter;

  // What is left to do of an answer that could not be handed to the kernel at once: large ones, and streams.
  struct Unfinished {
    Response response;
    std::string head;
    std::string_view body;  // of the response
  };

  void begin(Phase phase);
  void begin(Phase phase, Mono now);
  Task<> wait();
  Task<bool> shake_hands();

  Received first_look();
  Received receive();
  Received parse(std::string_view input, std::size_t& used);
  Received parse_body(std::string_view input, std::size_t& used);
  Received finish_request();
  Received refuse(Refusal refusal);
  Received interrupted();
  Received ask_for_body();
  bool make_room_for_body();
  void release_buffer();

  const Handler* route();  // null: answered already
  void answer(Response response);
  void answer_fault(std::string_view reason);
  void answer_refusal();
  void refuse_connection();
  Task<> finish_answer();
  Task<> send_stream(const Response& response);
  Task<Result<>> write_all(std::string head, std::string_view body);
  Mono conclude();
  Task<> linger();

  Connections& all_;
  Transport transport_;
  asio::cancellation_signal signal_;
  std::string remote_address_;
  std::string pending_;  // received and not yet parsed, from pending_at_ on
  std::uint32_t pending_at_ = 0;
  HeaderScan scan_;
  std::unique_ptr<Request> request_;       // from the end of its header to the end of its answer
  std::unique_ptr<RequestParser> parser_;  // while its body is received
  std::unique_ptr<Refusal> refusal_;
  std::unique_ptr<Unfinished> unfinished_;
  boost::system::error_code error_;
  Mono deadline_ = Mono::max();
  Mono began_{};
  Accepted accepted_;
  unsigned short status_ = 0;   // of the answer
  unsigned char answered_ = 0;  // requests, without having waited
  Phase phase_ = Phase::idle;
  Transport::Status want_ = Transport::Status::want_read;
  const bool refused_;  // over the limit
  bool http11_ = true;
  bool open_ = true;  // after this answer
  bool expired_ = false;
  bool aborted_ = false;
  bool waited_ = false;    // see has_long_waited()
  bool admitted_ = false;  // the client may send more than a small body
};

}  // namespace cc::http
