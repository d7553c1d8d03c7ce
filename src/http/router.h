// From method and path to handler.
//
//   router.add(Method::get, "/v1/configs/{env}/{app}/{cluster}/{name...}", handler);
//
// {x} is one segment, percent-decoded after splitting; {x...} is the rest, at least one segment. Literal
// segments win over captures. HEAD is answered by GET's handler when it has none of its own. Handlers see UTF-8 only: a
// target that is something else, as it stands or percent-decoded, has none. Immutable once the server runs; then safe
// from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"

namespace cc::http {

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  void add(Method method, std::string pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;  // null: see status
    std::string_view pattern;          // "" when no route has this path
    unsigned status = 200;             // 404, 405 or 400
    std::string allow;                 // of 405: "GET, HEAD, PUT"
    std::string_view reason;           // of 400
  };
  // Fills request.captures and request.route.
  Match match(Request& request) const;

  struct Route {
    Method method;
    std::string pattern;
  };
  std::vector<Route> routes() const;  // in order of addition

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::http
