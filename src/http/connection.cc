#include "http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "http/connections.h"
#include "http/head.h"
#include "model/quote.h"

namespace cc::http {
namespace {

const Logger kLog{"http"};

constexpr std::chrono::seconds kLingerTime{2};
constexpr std::size_t kMuchToSend = 1u << 20;  // so much has its own time limit
// Without having waited; then other connections have their turn.
constexpr unsigned kMostAnswers = 32;
constexpr int kMaxReads = 32;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

Response error_response(unsigned status, std::string message, std::string_view request_id) {
  return Response::error(status, {code_of_status(status), std::move(message)}, request_id);
}

}  // namespace

// Each piece is one chunk; to an HTTP/1.0 client, whose stream ends with the connection, the bytes themselves.
class ChunkWriter final : public StreamWriter {
 public:
  explicit ChunkWriter(Connection& connection) : connection_(connection) {}

  Task<Result<>> write(std::string piece) override {
    if (connection_.all_.stopping()) co_return fail(Code::unavailable, "the server is stopping");
    if (broken_) co_return fail(Code::unavailable, "the client is gone");
    if (piece.empty()) co_return Result<>{};
    if (connection_.http11_) {
      piece.insert(0, fmt::format("{:x}\r\n", piece.size()));
      piece += "\r\n";
    }
    auto written = co_await connection_.write_all(std::move(piece), {});
    connection_.begin(Connection::Phase::handling);
    broken_ = !written;
    co_return written;
  }

  bool broken() const { return broken_; }

 private:
  Connection& connection_;
  bool broken_ = false;
};

Connection::Connection(Connections& all, Socket socket, std::string remote_address, bool refused)
    : all_(all),
      transport_(std::move(socket), refused ? nullptr : all.options().tls.get()),
      remote_address_(std::move(remote_address)),
      refused_(refused) {}

void Connection::begin(Phase phase) {
  begin(phase, all_.now());
}

// The clock is asked, and not the last sweep: after something has held the thread up, that may be long ago.
void Connection::begin(Phase phase, Mono now) {
  phase_ = phase;
  expired_ = false;
  const Limits& limits = all_.limits();
  switch (phase) {
    case Phase::handshake:
    case Phase::header:
      deadline_ = now + limits.header_time;
      break;
    case Phase::idle:
      deadline_ = now + limits.idle_time;
      break;
    case Phase::body:
      deadline_ = now + limits.body_time;
      break;
    case Phase::sending:
      deadline_ = now + limits.write_time;
      break;
    case Phase::lingering:
      deadline_ = now + std::min<std::chrono::milliseconds>(kLingerTime, limits.write_time);
      break;
    case Phase::handling:
      waited_ = false;
      deadline_ = Mono::max();
      break;
  }
}

// For the socket, in the direction that want_ says. Sets error_.
Task<> Connection::wait() {
  answered_ = 0;
  return transport_.socket().async_wait(want_ == Transport::Status::want_write ? Socket::wait_write : Socket::wait_read,
                                        asio::redirect_error(asio::use_awaitable, error_));
}

void Connection::check_deadline(Mono now) {
  if (now < deadline_) return;
  expired_ = true;
  boost::system::error_code ignored;
  transport_.socket().cancel(ignored);
}

void Connection::close_when_idle() {
  if (phase_ != Phase::idle && phase_ != Phase::handshake) return;
  boost::system::error_code ignored;
  transport_.socket().cancel(ignored);
}

void Connection::abort() {
  aborted_ = true;
  transport_.close();
  signal_.emit(asio::cancellation_type::terminal);
}

bool Connection::has_long_waited() {
  return phase_ == Phase::handling && std::exchange(waited_, true);
}

Task<> Connection::run() {
  if (refused_) {
    refuse_connection();
    if (!unfinished_) co_await linger();
    co_return;
  }
  if (transport_.encrypted() && !co_await shake_hands()) co_return;

  Mono now = all_.now();
  while (open_) {
    begin(Phase::idle, now);
    Received received = first_look();
    while (received == Received::more) {
      co_await wait();
      received = error_ ? interrupted() : receive();
    }
    if (received == Received::closed) co_return;

    if (received == Received::refused) {
      answer_refusal();
    } else if (const Handler* handler = route()) {
      try {
        answer(co_await (*handler)(*request_));
      } catch (const std::exception& e) {
        answer_fault(e.what());
      }
    }
    if (unfinished_) co_await finish_answer();
    if (aborted_) co_return;
    now = conclude();
    // A client that sends one request after the other, and handlers that have their answers ready, would keep the
    // thread to themselves.
    if (++answered_ >= kMostAnswers) {
      answered_ = 0;
      co_await asio::post(transport_.socket().get_executor(), asio::use_awaitable);
    }
  }
  co_await linger();
}

Task<bool> Connection::shake_hands() {
  begin(Phase::handshake);
  for (;;) {
    const auto progress = transport_.handshake();
    if (progress.status == Transport::Status::done) co_return true;
    if (progress.status == Transport::Status::closed) co_return false;
    want_ = progress.status;
    co_await wait();
    if (error_) co_return false;
  }
}

// At the beginning of a request. The kernel is not asked for bytes that are seldom there already: the wait ends at once
// when they are.
Connection::Received Connection::first_look() {
  const bool pending = pending_at_ < pending_.size();
  if (all_.stopping()) {
    // What came whole is answered; nothing more is waited for.
    const Received received = pending ? receive() : Received::closed;
    return received == Received::more ? Received::closed : received;
  }
  if (pending || transport_.encrypted()) return receive();
  want_ = Transport::Status::want_read;
  return Received::more;
}

// What was received before is parsed first; then what the socket has now. Bytes are kept only when they are not a
// whole request: what follows it, or the beginning of one.
Connection::Received Connection::receive() {
  if (pending_at_ < pending_.size() && phase_ == Phase::idle) {
    std::size_t used = 0;
    const Received received = parse(std::string_view(pending_).substr(pending_at_), used);
    pending_at_ += static_cast<std::uint32_t>(used);
    if (received != Received::more) return received;
  }
  for (int reads = 0; reads < kMaxReads; ++reads) {
    auto& buffer = all_.read_buffer();
    const auto progress = transport_.read(buffer.data(), buffer.size());
    if (progress.status == Transport::Status::closed) return Received::closed;
    if (progress.status != Transport::Status::done) {
      want_ = progress.status;
      return Received::more;
    }
    const std::string_view fresh(buffer.data(), progress.bytes);
    std::size_t used = 0;
    Received received{};
    if (pending_at_ == pending_.size()) {
      received = parse(fresh, used);
      pending_.assign(fresh.substr(used));
      pending_at_ = 0;
    } else {
      pending_.erase(0, pending_at_);
      pending_at_ = 0;
      pending_ += fresh;
      received = parse(pending_, used);
      pending_at_ = static_cast<std::uint32_t>(used);
    }
    if (received != Received::more) return received;
    if (!transport_.encrypted() && progress.bytes < buffer.size()) {
      want_ = Transport::Status::want_read;
      return Received::more;
    }
  }
  want_ = Transport::Status::want_read;
  return Received::more;
}

void Connection::release_buffer() {
  if (pending_at_ < pending_.size()) return;
  std::string().swap(pending_);
  pending_at_ = 0;
}

Connection::Received Connection::parse(std::string_view input, std::size_t& used) {
  if (parser_) return parse_body(input, used);
  // Empty lines before a request are ignored, as RFC 9112 asks.
  if (phase_ == Phase::idle) {
    while (input.substr(used).starts_with("\r\n"))
      used += 2;
    if (used == input.size() || (input.size() - used == 1 && input[used] == '\r')) return Received::more;
    scan_ = {};
  }
  const std::string_view rest = input.substr(used);
  auto header = scan_.find_end(rest, all_.limits());
  if (!header) return refuse(std::move(header).error());
  if (*header == 0) {
    if (phase_ == Phase::idle) begin(Phase::header);
    return Received::more;
  }
  request_ = std::make_unique<Request>();
  RequestParser parser(*request_, all_.limits());
  const bool parsed = parser.parse_header(rest.substr(0, *header));
  used += *header;
  http11_ = parser.http11();
  accepted_ = parser.accepted();
  if (!parsed) return refuse(*parser.refusal());
  if (request_->request_id.empty()) request_->request_id = all_.next_request_id();
  request_->remote_address = remote_address_;
  if (parser.done()) return Received::request;

  parser_ = std::make_unique<RequestParser>(std::move(parser));
  begin(Phase::body);
  admitted_ = false;
  if (parser_->expects_continue() && used == input.size()) return ask_for_body();
  return parse_body(input, used);
}

// As far as it is known to need: refuses what this client may not send, and what there is no memory for.
bool Connection::make_room_for_body() {
  const std::uint64_t size = request_->body.size();
  const bool large = std::max(size, parser_->announced()) > Server::kSmallBody;
  if (large && !admitted_) {
    if (const auto& admit = all_.options().admit) {
      if (const auto admitted = admit(*request_); !admitted) {
        refuse({status_of(admitted.error().code), admitted.error().message});
        return false;
      }
    }
    admitted_ = true;
  }
  // A part is for small ones, so that a few who send much slowly do not keep the others from publishing.
  const std::uint64_t most = all_.usage().most_body_bytes;
  if (request_->body_share.grow(all_.usage(), size, large ? most / 4 * 3 : most)) return true;
  refuse({503, "the node has as many bodies of requests in memory as it may; try again in a moment"});
  return false;
}

// The client waits for a word before it sends the body. A request that no handler would see is answered without it.
Connection::Received Connection::ask_for_body() {
  if (all_.router().match(*request_).handler == nullptr) {
    request_->keep_alive = false;
    return finish_request();
  }
  if (!make_room_for_body()) return Received::refused;
  return transport_.write(kContinue, {}).bytes == kContinue.size() ? Received::more : Received::closed;
}

Connection::Received Connection::parse_body(std::string_view input, std::size_t& used) {
  used += parser_->parse_body(input.substr(used));
  if (parser_->refusal()) return refuse(*parser_->refusal());
  if (!make_room_for_body()) return Received::refused;
  return parser_->done() ? finish_request() : Received::more;
}

Connection::Received Connection::finish_request() {
  parser_.reset();
  return Received::request;
}

Connection::Received Connection::refuse(Refusal refusal) {
  refusal_ = std::make_unique<Refusal>(std::move(refusal));
  parser_.reset();
  return Received::refused;
}

// The wait for bytes ended without any.
Connection::Received Connection::interrupted() {
  if (!expired_ || phase_ == Phase::idle) return Received::closed;
  return refuse({408, phase_ == Phase::header ? "the request's header did not come in time"
                                              : "the request's body did not come in time"});
}

const Handler* Connection::route() {
  began_ = all_.now();
  release_buffer();
  begin(Phase::handling, began_);
  const Router::Match match = all_.router().match(*request_);
  if (match.handler != nullptr) return match.handler;

  const std::string& id = request_->request_id;
  if (match.status == 405 && request_->method == Method::options) {
    answer(Response(204).header("Allow", match.allow));
  } else if (match.status == 405) {
    answer(error_response(405, fmt::format("this resource has other methods: {}", match.allow), id)
               .header("Allow", match.allow));
  } else if (match.status == 400) {
    answer(error_response(400, std::string(match.reason), id));
  } else {
    answer(error_response(
        404, fmt::format("there is nothing at {}; /openapi.json describes what there is", cc::quoted(request_->path())),
        id));
  }
  return nullptr;
}

void Connection::answer_fault(std::string_view reason) {
  if (aborted_) return;
  kLog.error("a handler ended with an exception",
             {{"route", request_->route}, {"request_id", request_->request_id}, {"reason", reason}});
  answer(error_response(500, "the server failed at this request; its log tells why, under the request's id",
                        request_->request_id));
}

void Connection::refuse_connection() {
  refuse({503, "the server has as many connections as it may; try again later"});
  answer_refusal();
}

void Connection::answer_refusal() {
  if (!request_) request_ = std::make_unique<Request>();
  if (request_->request_id.empty()) request_->request_id = all_.next_request_id();
  request_->keep_alive = false;
  began_ = all_.now();
  answer(error_response(refusal_->status, refusal_->message, request_->request_id));
}

// Hands the answer to the kernel as far as it takes it now; the rest becomes unfinished_.
void Connection::answer(Response response) {
  if (aborted_) return;
  const bool streams = response.stream() && request_->method != Method::head && !has_no_body(response.status);
  if (all_.options().compress) all_.encodings().apply(response, accepted_.best());
  open_ = request_->keep_alive && !all_.last_answers() && (http11_ || !response.stream());
  status_ = static_cast<unsigned short>(response.status);

  std::string& head = all_.head_buffer();
  head.clear();
  append_head(head, response,
              {.request_id = request_->request_id,
               .date = all_.date(),
               .persistence = !open_    ? Persistence::close
                              : http11_ ? Persistence::implied
                                        : Persistence::keep_alive,
               .chunked = response.stream() && http11_ && !has_no_body(response.status),
               .until_close = response.stream() && !http11_});
  const bool with_body = request_->method != Method::head && !has_no_body(response.status) && !streams;
  const std::string_view body = with_body ? response.bytes() : std::string_view{};
  const auto progress = transport_.write(head, body);
  if (progress.status == Transport::Status::closed) {
    aborted_ = true;
  } else if (streams || progress.bytes < head.size() + body.size()) {
    unfinished_ = std::make_unique<Unfinished>();
    unfinished_->response = std::move(response);
    unfinished_->head = head.substr(std::min(progress.bytes, head.size()));
    if (with_body) {
      unfinished_->body = unfinished_->response.bytes();
      unfinished_->body.remove_prefix(progress.bytes - (head.size() - unfinished_->head.size()));
    }
  }
}

Task<> Connection::finish_answer() {
  const auto unfinished = std::move(unfinished_);
  if (!co_await write_all(std::move(unfinished->head), unfinished->body)) {
    aborted_ = true;
  } else if (unfinished->response.stream() && request_->method != Method::head) {
    co_await send_stream(unfinished->response);
  }
}

Task<> Connection::send_stream(const Response& response) {
  begin(Phase::handling);
  ChunkWriter writer(*this);
  try {
    co_await response.stream()(writer);
  } catch (const std::exception& e) {
    if (!aborted_) kLog.error("a stream ended with an exception", {{"route", request_->route}, {"reason", e.what()}});
    aborted_ = true;  // without the last chunk, so that the client knows
    co_return;
  }
  if (aborted_) co_return;
  aborted_ = writer.broken() || (http11_ && !co_await write_all(std::string(kLastChunk), {}));
}

Task<Result<>> Connection::write_all(std::string head, std::string_view body) {
  begin(Phase::sending);
  std::size_t moved = 0;
  std::string_view first = head;
  for (;;) {
    const auto progress = transport_.write(first, body);
    const std::size_t of_first = std::min(progress.bytes, first.size());
    first.remove_prefix(of_first);
    body.remove_prefix(progress.bytes - of_first);
    if (progress.status == Transport::Status::done) co_return Result<>{};
    if (progress.status == Transport::Status::closed) co_return fail(Code::unavailable, "the client is gone");
    moved += progress.bytes;
    if (moved >= kMuchToSend) {
      begin(Phase::sending);
      moved = 0;
    }
    want_ = progress.status;
    co_await wait();
    if (error_) {
      co_return expired_ ? fail(Code::timeout, "the client takes too long to receive")
                         : fail(Code::unavailable, "the client is gone");
    }
  }
}

// The answer was sent: tells who counts, and forgets the request. Returns the time.
Mono Connection::conclude() {
  const Mono now = all_.now();
  if (const OnAnswered& on_answered = all_.options().on_answered)
    on_answered(request_->route, request_->method, status_,
                request_->waits() ? std::nullopt : std::optional<std::chrono::nanoseconds>(now - began_));
  if (kLog.enabled(LogLevel::debug)) {
    kLog.debug("answered", {{"method", to_string(request_->method)},
                            {"path", request_->path()},
                            {"status", status_},
                            {"request_id", request_->request_id},
                            {"address", remote_address_}});
  }
  request_.reset();
  refusal_.reset();
  return now;
}

// Closing while there are unread bytes would make the kernel reset the connection, and the client might never see the
// answer: says that nothing more will come, and reads until the client closes.
Task<> Connection::linger() {
  transport_.shut_down();
  begin(Phase::lingering);
  while (!all_.stopping()) {
    ssize_t got = 1;
    for (int reads = 0; got > 0 && reads < kMaxReads; ++reads) {
      auto& buffer = all_.read_buffer();
      got = ::recv(descriptor(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) co_return;
    want_ = Transport::Status::want_read;
    co_await wait();
    if (error_) co_return;
  }
}

}  // namespace cc::http
