// HTTP to object stores, by libcurl: a request is made again until it is answered for good. Inside src/backup.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace cc::backup {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct WebRequest {
  std::string method = "GET";
  std::string url;  // encoded
  Headers headers;
  std::string_view body = {};
};

struct WebAnswer {
  long status = 0;
  Headers headers;
  std::string body;
  std::string_view header(std::string_view name) const;  // empty when there is none
  bool good() const { return status >= 200 && status < 300; }
};

class Web {
 public:
  struct Options {
    std::string ca_file;
    std::chrono::milliseconds timeout;
    std::stop_token stop;
  };
  explicit Web(Options options);
  ~Web();
  Web(Web&&) noexcept;
  Web& operator=(Web&&) = delete;

  // Made anew for each attempt, since a signature is of its time.
  using Make = std::function<Result<WebRequest>()>;
  // Whether an answer is one to try again after, besides 408, 429 and those from 500 on.
  using Again = std::function<bool(const WebAnswer&)>;

  // Tried again, later each time and as late as the server asks, when there is no answer, or one to try again after:
  // the last such answer is the result. unavailable when there was none; permission_denied when the server's
  // certificate is not trusted, which trying again does not help.
  Result<WebAnswer> send(const Make& make, const Again& again = {});

  // Bytes of a body, `make` being asked for a Range ("bytes=5-9"). A connection that breaks is gone on from. The
  // answer has all that came, with the status of the first part; 416 is one with none.
  Result<WebAnswer> get(const std::function<Result<WebRequest>(std::string range)>& make, std::uint64_t offset,
                        std::size_t size);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What an answer that is not good means, in words that name `what` was wanted of whom and what the server said of it.
std::unexpected<Error> refused(const WebAnswer& answer, std::string_view what);

}  // namespace cc::backup
