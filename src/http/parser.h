// From bytes to a Request: Beast's parser, and the checks that Beast leaves to its user.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "http/compress.h"
#include "http/exchange.h"
#include "http/server.h"

namespace cc::http {

// Why a request is refused before any handler sees it.
struct Refusal {
  unsigned status = 400;
  std::string message;
};

// Looks for the end of a request's header without parsing it, line by line, so that nothing is looked at twice
// however slowly the bytes come.
class HeaderScan {
 public:
  // `input` is what came so far of this request, begun at its first byte. Returns the header's size with the empty
  // line, 0 when more bytes are needed, or why it can never be one.
  std::expected<std::size_t, Refusal> find_end(std::string_view input, const Limits& limits);

 private:
  std::uint32_t line_ = 0;     // where the line begins that has no end yet
  std::uint32_t scanned_ = 0;  // no line feed before it
  std::uint32_t lines_ = 0;
};

// Parses one request. The whole header is given in one piece, the body in any.
class RequestParser : public boost::beast::http::basic_parser<true> {
 public:
  RequestParser(Request& request, const Limits& limits);

  // `header` is what HeaderScan found. False: see refusal().
  bool parse_header(std::string_view header);
  // Takes what it can from `input` and says how many bytes that was; the rest is given again with more behind it.
  std::size_t parse_body(std::string_view input);

  bool done() const { return is_done(); }
  const std::optional<Refusal>& refusal() const { return refusal_; }
  bool expects_continue() const { return expects_continue_; }
  std::uint64_t announced() const { return content_length().value_or(0); }  // size of the body; 0: not known
  bool http11() const { return http11_; }
  Accepted accepted() const { return accepted_; }

 private:
  using error_code = boost::system::error_code;
  using string_view = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb verb, string_view method, string_view target, int version,
                       error_code& error) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field field, string_view name, string_view value, error_code& error) override;
  void on_header_impl(error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& error) override;
  std::size_t on_body_impl(string_view body, error_code& error) override;
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t remain, string_view body, error_code& error) override;
  void on_finish_impl(error_code&) override {}

  void refuse(unsigned status, std::string message, error_code& error);
  void refuse(const error_code& error);
  void take_target(std::string_view target, error_code& error);

  Request& request_;
  const Limits& limits_;
  std::optional<Refusal> refusal_;
  Accepted accepted_;
  unsigned hosts_ = 0;
  bool http11_ = false;
  bool in_body_ = false;
  bool has_length_ = false;
  bool has_coding_ = false;
  bool expects_continue_ = false;
};

}  // namespace cc::http
