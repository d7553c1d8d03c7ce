// A blocking HTTP/1.1 client for the command line and the benches: one connection, kept alive, opened again
// when the server closed it. Not thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace cc::http {

struct ClientOptions {
  std::string url = "http://127.0.0.1:8848";  // or https://…
  std::string bearer;                         // token or access key; empty: none
  std::string ca_file;                        // PEM; empty: the system's
  std::string cert_file, key_file;            // PEM, of the client; empty: none
  // Per request, on top of what it asks the server to wait. A little more than the time limit of a server, whose answer
  // then says more.
  std::chrono::milliseconds timeout{35'000};
};

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds wait{0};  // how long the server may take by intent (long poll)
};

struct ClientResponse {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string_view header(std::string_view name) const;
};

class Client {
 public:
  static Result<Client> make(ClientOptions options);  // invalid_argument for a url or a file that is none
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // An answer with any status is a value; unavailable or timeout when there was none, with the url and what to do;
  // unauthenticated when one of the two does not trust the other's certificate: trying again does not help.
  Result<ClientResponse> send(const ClientRequest& request);
  // For event streams: `on_bytes` gets the body as it comes and returns false to stop.
  Result<ClientResponse> stream(const ClientRequest& request, const std::function<bool(std::string_view)>& on_bytes);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The Error that an answer with status >= 400 carries (its JSON body), or one made of the status.
Error error_of(const ClientResponse& response);

}  // namespace cc::http
