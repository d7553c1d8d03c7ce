// One request and its answer, free of Beast: what handlers see.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "http/usage.h"

namespace cc::http {

enum class Method { get, head, put, post, delete_, options, other };
std::string_view to_string(Method method) noexcept;  // "GET", ...

// Lives until its response has been sent, also while a handler waits.
class Request {
 public:
  Method method = Method::get;
  std::string target;  // as sent: "/v1/configs/prod/a/default/x.yaml?after=3"
  std::string body;    // decoded from chunks; at most Limits::body
  BodyShare body_share;
  std::string remote_address;  // "10.0.0.7", without port
  std::string request_id;      // the client's X-Request-Id when it is 1…64 of [A-Za-z0-9._-], else a new one
  bool keep_alive = true;

  // Filled by the router: the values of {…} in the route, percent-decoded, in order.
  std::vector<std::string> captures;
  std::string_view route;  // the pattern that matched: "/v1/configs/{env}/{app}/{cluster}/{name...}"

  std::string_view path() const;                                  // without the query, still encoded
  std::string_view header(std::string_view name) const;           // any case; "" when absent
  std::optional<std::string> query(std::string_view name) const;  // percent-decoded; first of several
  // Names in the query that are not among `known`: for refusing typing errors.
  std::optional<std::string> unknown_query(std::span<const std::string_view> known) const;
  std::optional<std::string> unknown_query(std::initializer_list<std::string_view> known) const {
    return unknown_query(std::span(known.begin(), known.size()));
  }
  bool query_is_utf8() const;  // all of it, percent-decoded

  // One block of "Name: value" pairs, so that a waiting request costs little memory.
  void add_header(std::string_view name, std::string_view value);
  void reserve_headers(std::size_t bytes);
  // Before a wait by intent, for a change: gives back the header fields and the body (header() finds nothing any more).
  // Target, captures, address and request id stay. How long the request takes from then on says nothing of the server.
  void begin_to_wait();
  bool waits() const { return waits_; }

 private:
  std::string headers_;  // name '\0' value '\0' ...
  bool waits_ = false;
};

class Response;

// Sends pieces of a response whose end is not known (server-sent events).
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  // Returns when the piece was handed to the kernel; an error when the client is gone, too slow (the
  // write timeout), or the server is stopping. Buffers no more than this piece.
  virtual Task<Result<>> write(std::string piece) = 0;
};

// Small to hold, since each coroutine between the server and what waits keeps room for one.
class Response {
 public:
  unsigned status = 200;

  Response() noexcept;
  explicit Response(unsigned status_) noexcept;
  Response(const Response& other);
  Response(Response&& other) noexcept;
  Response& operator=(Response other) noexcept;
  ~Response();

  static Response json(unsigned status, std::string body);  // application/json
  static Response text(unsigned status, std::string body);  // text/plain; charset=utf-8
  // The one place where an Error becomes an answer: {"error":{"code","message","details"},"request_id"}; 429 and 503
  // carry Retry-After ("retry_after_seconds" of the details, with which others carry it, too; else 1), 401
  // WWW-Authenticate. The status is that of the
  // code; of exhausted with "limit_bytes" in its details it is 413.
  static Response error(const Error& error, std::string_view request_id);
  // What HTTP itself refuses, with a status that no code has.
  static Response error(unsigned status, const Error& error, std::string_view request_id);

  // CR and LF in the value are replaced by blanks.
  Response& header(std::string_view name, std::string_view value) &;
  Response&& header(std::string_view name, std::string_view value) &&;
  // Body without copying: `bytes` stays valid as long as `keep` lives.
  Response& shared_body(std::shared_ptr<const void> keep, std::string_view bytes) &;
  Response&& shared_body(std::shared_ptr<const void> keep, std::string_view bytes) &&;
  Response& body(std::string bytes) &;
  Response&& body(std::string bytes) &&;
  // After the head, `write` produces the rest (chunked). Not for HEAD.
  Response& stream(std::function<Task<>(StreamWriter&)> write) &;
  Response&& stream(std::function<Task<>(StreamWriter&)> write) &&;

  std::string_view bytes() const;
  const std::shared_ptr<const void>& keep() const;  // of shared_body(); null otherwise
  const std::string& head() const;                  // "Name: value\r\n"…
  std::string_view header(std::string_view name) const;
  const std::function<Task<>(StreamWriter&)>& stream() const;

 private:
  struct Parts;
  Parts& parts();
  const Parts& parts() const;

  std::unique_ptr<Parts> parts_;  // null: no header, no body
};

unsigned status_of(Code code) noexcept;  // 400 404 409 412(conflict) 401 403 503 504 429(exhausted) 500
Code code_of_status(unsigned status) noexcept;

// Must not throw; what it throws all the same is logged and answered 500.
using Handler = std::function<Task<Response>(Request&)>;

}  // namespace cc::http
