#include "http/parser.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "http/fields.h"

namespace cc::http {
namespace {

namespace beast_http = boost::beast::http;

constexpr std::size_t kMaxFields = 100;
constexpr std::size_t kMaxRequestIdSize = 64;
constexpr std::size_t kBodyReserve = 64u << 10;  // what a Content-Length alone makes us set aside

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRequestIdSize && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '.' || c == '_' || c == '-';
  });
}

bool is_host(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && !std::string_view("/?#@\\\"<>,").contains(c);
  });
}

Method method_of(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get:
      return Method::get;
    case beast_http::verb::head:
      return Method::head;
    case beast_http::verb::put:
      return Method::put;
    case beast_http::verb::post:
      return Method::post;
    case beast_http::verb::delete_:
      return Method::delete_;
    case beast_http::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

}  // namespace

std::expected<std::size_t, Refusal> HeaderScan::find_end(std::string_view input, const Limits& limits) {
  const auto refuse = [](unsigned status, std::string message) {
    return std::unexpected(Refusal{status, std::move(message)});
  };
  const auto refuse_line = [&] {
    return refuse(414, fmt::format("the request line is longer than {} bytes", limits.header / 2));
  };
  if (scanned_ == 0 && !input.empty() && !is_token_character(input.front()))
    return refuse(400, "what was sent does not begin as an HTTP request does");
  const std::string_view head = input.substr(0, limits.header);
  for (;;) {
    const auto feed = head.find('\n', scanned_);
    if (feed == std::string_view::npos) break;
    if (lines_ == 0 && feed > limits.header / 2) return refuse_line();
    if (feed == 0 || head[feed - 1] != '\r') return refuse(400, "a header line must end with CR LF");
    if (feed - line_ == 1) return feed + 1;
    if (lines_ > 0 && (head[line_] == ' ' || head[line_] == '\t'))
      return refuse(400, "a header field must not be folded over several lines");
    if (++lines_ > kMaxFields + 1)
      return refuse(431, fmt::format("the request has more than {} header fields", kMaxFields));
    line_ = scanned_ = static_cast<std::uint32_t>(feed + 1);
  }
  scanned_ = static_cast<std::uint32_t>(head.size());
  if (lines_ == 0 && scanned_ > limits.header / 2) return refuse_line();
  if (input.size() >= limits.header)
    return refuse(431, fmt::format("the request's header is larger than {} bytes", limits.header));
  return 0;
}

RequestParser::RequestParser(Request& request, const Limits& limits) : request_(request), limits_(limits) {
  header_limit(
      static_cast<std::uint32_t>(std::min<std::size_t>(limits.header, std::numeric_limits<std::uint32_t>::max() / 2)));
  body_limit(limits.body);
}

bool RequestParser::parse_header(std::string_view header) {
  request_.reserve_headers(header.size());
  error_code error;
  put({header.data(), header.size()}, error);
  if (refusal_) return false;
  if (error || !is_header_done()) {
    refuse(error);
    return false;
  }
  in_body_ = true;
  return true;
}

std::size_t RequestParser::parse_body(std::string_view input) {
  std::size_t used = 0;
  while (!is_done() && used < input.size()) {
    error_code error;
    used += put({input.data() + used, input.size() - used}, error);
    if (error == beast_http::error::need_more) {
      // What is left is the beginning of a chunk's header or of the trailer.
      if (input.size() - used > limits_.header) {
        refusal_ = Refusal{431, fmt::format("a chunk's header or the trailer is larger than {} bytes", limits_.header)};
      }
      return used;
    }
    if (error) {
      if (!refusal_) refuse(error);
      return used;
    }
  }
  return used;
}

void RequestParser::refuse(unsigned status, std::string message, error_code& error) {
  refusal_ = Refusal{status, std::move(message)};
  error = beast_http::error::bad_value;
}

void RequestParser::refuse(const error_code& error) {
  if (error == beast_http::error::body_limit) {
    refusal_ = Refusal{413, fmt::format("the body is larger than {} bytes, the setting server.max_body", limits_.body)};
  } else if (error == beast_http::error::header_limit) {
    refusal_ = Refusal{431, fmt::format("the request's header is larger than {} bytes", limits_.header)};
  } else if (error == beast_http::error::bad_version) {
    refusal_ = Refusal{505, "this server speaks HTTP/1.1 and HTTP/1.0"};
  } else {
    refusal_ = Refusal{400, fmt::format("the request is malformed: {}", error ? error.message() : "unexpected end")};
  }
}

void RequestParser::on_request_impl(beast_http::verb verb, string_view method, string_view target, int version,
                                    error_code& error) {
  http11_ = version >= 11;
  request_.method = method_of(verb);
  if (verb == beast_http::verb::unknown)
    return refuse(501, fmt::format("no method \"{}\" is known", std::string_view(method.data(), method.size())), error);
  take_target({target.data(), target.size()}, error);
}

void RequestParser::take_target(std::string_view target, error_code& error) {
  // The absolute form, as sent to proxies, must be understood too.
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() <= scheme.size() || !equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const auto end = target.find_first_of("/?#");
    if (end == std::string_view::npos || target[end] != '/') request_.target = "/";
    if (end != std::string_view::npos) request_.target += target.substr(end);
    return;
  }
  if (!target.starts_with('/') && target != "*" && request_.method != Method::other)
    return refuse(400, "the request's target must begin with /", error);
  request_.target = target;
}

void RequestParser::on_field_impl(beast_http::field field, string_view name_, string_view value_, error_code& error) {
  if (in_body_) return;  // a trailer must not look like a header
  const std::string_view name(name_.data(), name_.size());
  const std::string_view value(value_.data(), value_.size());
  switch (field) {
    case beast_http::field::host:
      if (++hosts_ > 1 || !is_host(value)) return refuse(400, "the request needs exactly one valid Host", error);
      break;
    case beast_http::field::content_length:
      if (has_length_ || has_coding_ || value.contains(','))
        return refuse(400, "the length of the body is given twice", error);
      has_length_ = true;
      break;
    case beast_http::field::transfer_encoding:
      if (has_length_ || has_coding_) return refuse(400, "the length of the body is given twice", error);
      if (!http11_) return refuse(400, "HTTP/1.0 has no Transfer-Encoding", error);
      if (!equal_ignoring_case(value, "chunked")) return refuse(501, "the only Transfer-Encoding is chunked", error);
      has_coding_ = true;
      break;
    case beast_http::field::expect:
      if (!equal_ignoring_case(value, "100-continue"))
        return refuse(417, "the only expectation is 100-continue", error);
      expects_continue_ = http11_;
      break;
    case beast_http::field::accept_encoding:
      accepted_.add(value);
      break;
    default:
      if (equal_ignoring_case(name, "X-Request-Id") && is_request_id(value)) request_.request_id = value;
      break;
  }
  request_.add_header(name, value);
}

void RequestParser::on_header_impl(error_code& error) {
  if (http11_ && hosts_ == 0) return refuse(400, "an HTTP/1.1 request must have a Host", error);
  request_.keep_alive = keep_alive();
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) {
  if (length) request_.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, kBodyReserve)));
}

std::size_t RequestParser::on_body_impl(string_view body, error_code&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, string_view body, error_code&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

}  // namespace cc::http
