#include "http/exchange.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"

namespace cc::http {
namespace {

// A JSON string; bytes that are not UTF-8 become '?', so that the answer is JSON whatever a message quotes.
void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const Character first = first_character(text);
    if (first.bytes == 0) {
      out += '?';
    } else if (first.code < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(first.code));
    } else {
      if (first.code == '"' || first.code == '\\') out += '\\';
      out += text.substr(0, first.bytes);
    }
    text.remove_prefix(first.step());
  }
  out += '"';
}

// Calls `visit(name, value)`, still encoded, for each parameter until it returns true.
template <class Visit>
void each_parameter(std::string_view target, Visit visit) {
  const auto question = target.find('?');
  if (question == std::string_view::npos) return;
  std::string_view rest = target.substr(question + 1);
  rest = rest.substr(0, rest.find('#'));
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (one.empty()) continue;
    const auto equals = std::min(one.find('='), one.size());
    if (visit(one.substr(0, equals), one.substr(std::min(equals + 1, one.size())))) return;
  }
}

// As browsers and curl write queries: '+' is a blank. Text with broken percent-encoding stays as it is.
std::string decode_parameter(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '+', ' ');
  if (out.find('%') == std::string::npos) return out;
  return percent_decode(out).value_or(out);
}

// What its details say; nothing when they do not.
std::optional<unsigned> seconds_to_wait(const Error& error) {
  constexpr std::string_view kMember = "\"retry_after_seconds\":";
  std::optional<unsigned> seconds;
  if (const auto at = error.details.find(kMember); at != std::string::npos) {
    const std::string_view number = trim(std::string_view(error.details).substr(at + kMember.size()));
    std::from_chars(number.data(), number.data() + number.size(), seconds.emplace(1));
  }
  return seconds;
}

}  // namespace

std::string_view to_string(Method method) noexcept {
  constexpr std::array<std::string_view, 7> kNames{"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "OTHER"};
  return kNames[static_cast<std::size_t>(method)];
}

unsigned status_of(Code code) noexcept {
  switch (code) {
    case Code::invalid_argument:
      return 400;
    case Code::unauthenticated:
      return 401;
    case Code::permission_denied:
      return 403;
    case Code::not_found:
      return 404;
    case Code::already_exists:
      return 409;
    case Code::conflict:
      return 412;
    case Code::exhausted:
      return 429;
    case Code::unavailable:
      return 503;
    case Code::timeout:
      return 504;
    case Code::corruption:
    case Code::internal:
      return 500;
  }
  return 500;
}

Code code_of_status(unsigned status) noexcept {
  switch (status) {
    case 401:
      return Code::unauthenticated;
    case 403:
      return Code::permission_denied;
    case 404:
      return Code::not_found;
    case 408:
    case 504:
      return Code::timeout;
    case 409:
      return Code::already_exists;
    case 412:
      return Code::conflict;
    case 413:
    case 414:
    case 429:
    case 431:
      return Code::exhausted;
    case 501:
    case 505:
      return Code::invalid_argument;
    case 502:
    case 503:
      return Code::unavailable;
    default:
      return status >= 500 ? Code::internal : Code::invalid_argument;
  }
}

std::string_view Request::path() const {
  return std::string_view(target).substr(0, target.find_first_of("?#"));
}

std::string_view Request::header(std::string_view name) const {
  std::string_view rest = headers_;
  while (!rest.empty()) {
    const auto name_end = rest.find('\0');
    const auto value_end = rest.find('\0', name_end + 1);
    if (equal_ignoring_case(rest.substr(0, name_end), name)) return rest.substr(name_end + 1, value_end - name_end - 1);
    rest.remove_prefix(value_end + 1);
  }
  return {};
}

std::optional<std::string> Request::query(std::string_view name) const {
  std::optional<std::string> found;
  each_parameter(target, [&](std::string_view key, std::string_view value) {
    if (key != name && decode_parameter(key) != name) return false;
    found = decode_parameter(value);
    return true;
  });
  return found;
}

std::optional<std::string> Request::unknown_query(std::span<const std::string_view> known) const {
  std::optional<std::string> unknown;
  each_parameter(target, [&](std::string_view key, std::string_view) {
    std::string decoded = decode_parameter(key);
    if (std::ranges::find(known, std::string_view(decoded)) != known.end()) return false;
    unknown = std::move(decoded);
    return true;
  });
  return unknown;
}

bool Request::query_is_utf8() const {
  const auto is_utf8 = [](std::string_view text) {
    if (!text.contains('%')) return find_invalid_utf8(text) == std::string_view::npos;
    return find_invalid_utf8(decode_parameter(text)) == std::string_view::npos;
  };
  bool all = true;
  each_parameter(target, [&](std::string_view key, std::string_view value) {
    all = is_utf8(key) && is_utf8(value);
    return !all;
  });
  return all;
}

void Request::add_header(std::string_view name, std::string_view value) {
  headers_.append(name);
  headers_ += '\0';
  headers_.append(value);
  headers_ += '\0';
}

void Request::reserve_headers(std::size_t bytes) {
  headers_.reserve(bytes);
}

void Request::begin_to_wait() {
  waits_ = true;
  std::string().swap(headers_);
  std::string().swap(body);
  body_share.give_back();
}

struct Response::Parts {
  std::string head, owned;
  std::shared_ptr<const void> keep;
  std::string_view view;
  std::function<Task<>(StreamWriter&)> stream;
};

Response::Response() noexcept = default;
Response::Response(unsigned status_) noexcept : status(status_) {}
Response::Response(const Response& other)
    : status(other.status), parts_(other.parts_ ? std::make_unique<Parts>(*other.parts_) : nullptr) {}
Response::Response(Response&& other) noexcept = default;
Response::~Response() = default;

Response& Response::operator=(Response other) noexcept {
  status = other.status;
  parts_ = std::move(other.parts_);
  return *this;
}

Response::Parts& Response::parts() {
  if (!parts_) parts_ = std::make_unique<Parts>();
  return *parts_;
}

const Response::Parts& Response::parts() const {
  static const Parts none;
  return parts_ ? *parts_ : none;
}

Response Response::json(unsigned status, std::string body) {
  return Response(status).header("Content-Type", "application/json").body(std::move(body));
}

Response Response::text(unsigned status, std::string body) {
  return Response(status).header("Content-Type", "text/plain; charset=utf-8").body(std::move(body));
}

Response Response::error(const Error& error, std::string_view request_id) {
  const bool too_large = error.code == Code::exhausted && error.details.contains("\"limit_bytes\"");
  return Response::error(too_large ? 413 : status_of(error.code), error, request_id);
}

Response Response::error(unsigned status, const Error& error, std::string_view request_id) {
  std::string body = R"({"error":{"code":")";
  body += to_string(error.code);
  body += R"(","message":)";
  append_json_string(body, error.message);
  if (!error.details.empty()) {
    body += R"(,"details":)";
    body += error.details;
  }
  body += R"(},"request_id":)";
  append_json_string(body, request_id);
  body += '}';

  Response response = json(status, std::move(body));
  if (status == 401) {
    response.header("WWW-Authenticate", "Bearer realm=\"config-center\"");
  } else if (const auto seconds = seconds_to_wait(error); seconds || status == 429 || status == 503) {
    response.header("Retry-After", std::to_string(seconds.value_or(1)));
  }
  return response;
}

Response& Response::header(std::string_view name, std::string_view value) & {
  std::string& head = parts().head;
  if (head.empty()) head.reserve(224);
  head.append(name);
  head += ": ";
  const auto start = static_cast<std::ptrdiff_t>(head.size());
  head.append(value);
  std::replace_if(head.begin() + start, head.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  head += "\r\n";
  return *this;
}

Response& Response::shared_body(std::shared_ptr<const void> keep, std::string_view bytes) & {
  Parts& all = parts();
  all.keep = std::move(keep);
  all.view = bytes;
  all.owned.clear();
  return *this;
}

Response& Response::body(std::string bytes) & {
  Parts& all = parts();
  all.owned = std::move(bytes);
  all.keep.reset();
  all.view = {};
  return *this;
}

Response& Response::stream(std::function<Task<>(StreamWriter&)> write) & {
  parts().stream = std::move(write);
  return *this;
}

Response&& Response::header(std::string_view name, std::string_view value) && {
  return std::move(header(name, value));
}
Response&& Response::shared_body(std::shared_ptr<const void> keep, std::string_view bytes) && {
  return std::move(shared_body(std::move(keep), bytes));
}
Response&& Response::body(std::string bytes) && {
  return std::move(body(std::move(bytes)));
}
Response&& Response::stream(std::function<Task<>(StreamWriter&)> write) && {
  return std::move(stream(std::move(write)));
}

std::string_view Response::bytes() const {
  const Parts& all = parts();
  return all.keep ? all.view : std::string_view(all.owned);
}

const std::shared_ptr<const void>& Response::keep() const {
  return parts().keep;
}

const std::string& Response::head() const {
  return parts().head;
}

const std::function<Task<>(StreamWriter&)>& Response::stream() const {
  return parts().stream;
}

std::string_view Response::header(std::string_view name) const {
  std::string_view rest = head();
  while (!rest.empty()) {
    const auto end = rest.find("\r\n");
    const auto colon = rest.find(": ");
    if (equal_ignoring_case(rest.substr(0, colon), name)) return rest.substr(colon + 2, end - colon - 2);
    rest.remove_prefix(end + 2);
  }
  return {};
}

}  // namespace cc::http
