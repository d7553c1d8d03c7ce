// The head of an answer as bytes.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/exchange.h"

namespace cc::http {

std::string_view reason_of(unsigned status) noexcept;  // "Not Found"; "" when there is none

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::chrono::sys_seconds time);

bool has_no_body(unsigned status) noexcept;  // 1xx, 204, 304

// Which header line tells the client how long the connection lives.
enum class Persistence { implied, keep_alive, close };

struct HeadOptions {
  std::string_view request_id;
  std::string_view date;
  Persistence persistence = Persistence::implied;
  bool chunked = false;      // Transfer-Encoding instead of Content-Length
  bool until_close = false;  // neither: the end of the connection is the end of the body
};

// Appends status line, the response's own header lines, and those of `options`.
void append_head(std::string& out, const Response& response, const HeadOptions& options);

}  // namespace cc::http
