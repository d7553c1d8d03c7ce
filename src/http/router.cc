#include "http/router.h"

#include <array>
#include <cassert>

#include "base/text.h"

namespace cc::http {
namespace {

constexpr std::size_t kMethods = 7;
constexpr std::size_t kMaxCaptures = 8;

// What one path answers to, by method.
struct Endpoint {
  std::array<Handler, kMethods> handlers;
  std::array<std::string, kMethods> patterns;

  bool empty() const {
    for (const Handler& handler : handlers) {
      if (handler) return false;
    }
    return true;
  }
};

struct Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;
  std::unique_ptr<Node> capture;   // {x}
  std::unique_ptr<Endpoint> rest;  // {x...}
  std::unique_ptr<Endpoint> here;
};

// The encoded captures of the path being matched; point into the request's target.
struct Captures {
  std::array<std::string_view, kMaxCaptures> values;
  std::size_t count = 0;
};

bool is_literal(std::string_view segment, const std::string& literal) {
  if (segment == literal) return true;
  if (!segment.contains('%')) return false;
  const auto decoded = percent_decode(segment);
  return decoded && *decoded == literal;
}

// `rest` is what follows the slash before the next segment. On success the captures are those of the endpoint.
const Endpoint* find(const Node& node, std::string_view rest, Captures& captures) {
  const auto slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  const bool last = slash == std::string_view::npos;
  const std::size_t before = captures.count;

  const auto descend = [&](const Node& child) -> const Endpoint* {
    if (last) return child.here.get();
    return find(child, rest.substr(slash + 1), captures);
  };
  for (const auto& [literal, child] : node.literals) {
    if (!is_literal(segment, literal)) continue;
    if (const Endpoint* found = descend(*child)) return found;
    captures.count = before;
  }
  if (node.capture && !segment.empty()) {
    captures.values[captures.count++] = segment;
    if (const Endpoint* found = descend(*node.capture)) return found;
    captures.count = before;
  }
  if (node.rest && !rest.empty()) {
    captures.values[captures.count++] = rest;
    return node.rest.get();
  }
  return nullptr;
}

std::string allowed(const Endpoint& endpoint) {
  std::string out;
  const auto add = [&out](std::string_view name) {
    if (!out.empty()) out += ", ";
    out += name;
  };
  const auto has = [&endpoint](Method method) { return bool{endpoint.handlers[static_cast<std::size_t>(method)]}; };
  for (const Method method : {Method::get, Method::head, Method::put, Method::post, Method::delete_}) {
    if (has(method) || (method == Method::head && has(Method::get))) add(to_string(method));
  }
  add("OPTIONS");
  return out;
}

}  // namespace

struct Router::Impl {
  Node root;
  std::vector<Route> routes;
};

Router::Router() : impl_(std::make_unique<Impl>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(Method method, std::string pattern, Handler handler) {
  assert(pattern.starts_with('/') && handler);
  Node* node = &impl_->root;
  std::unique_ptr<Endpoint>* endpoint = nullptr;
  std::size_t captures = 0;
  for (const std::string_view segment : split(std::string_view(pattern).substr(1), '/')) {
    assert(endpoint == nullptr);  // {x...} is the last segment
    const bool is_capture = segment.starts_with('{') && segment.ends_with('}');
    captures += is_capture ? 1 : 0;
    if (is_capture && segment.ends_with("...}")) {
      endpoint = &node->rest;
    } else if (is_capture) {
      if (!node->capture) node->capture = std::make_unique<Node>();
      node = node->capture.get();
    } else {
      Node* next = nullptr;
      for (const auto& [literal, child] : node->literals) {
        if (literal == segment) next = child.get();
      }
      if (next == nullptr) {
        next = node->literals.emplace_back(std::string(segment), std::make_unique<Node>()).second.get();
      }
      node = next;
    }
  }
  assert(captures <= kMaxCaptures);
  static_cast<void>(captures);
  if (endpoint == nullptr) endpoint = &node->here;
  if (!*endpoint) *endpoint = std::make_unique<Endpoint>();
  const auto index = static_cast<std::size_t>(method);
  assert(!(*endpoint)->handlers[index]);  // a route is added once
  impl_->routes.push_back({method, pattern});
  (*endpoint)->handlers[index] = std::move(handler);
  (*endpoint)->patterns[index] = std::move(pattern);
}

Router::Match Router::match(Request& request) const {
  Match match;
  const auto refuse = [&match](std::string_view reason) {
    match.status = 400;
    match.reason = reason;
    return match;
  };
  if (find_invalid_utf8(request.target) != std::string_view::npos) return refuse("the request's target is not UTF-8");
  const std::string_view path = request.path();
  Captures captures;
  const Endpoint* endpoint = path.starts_with('/') ? find(impl_->root, path.substr(1), captures) : nullptr;
  if (endpoint == nullptr || endpoint->empty()) {
    match.status = 404;
    return match;
  }

  auto index = static_cast<std::size_t>(request.method);
  if (request.method == Method::head && !endpoint->handlers[index]) index = static_cast<std::size_t>(Method::get);
  if (request.method == Method::other || !endpoint->handlers[index]) {
    for (const std::string& pattern : endpoint->patterns) {
      if (!pattern.empty()) match.pattern = pattern;
    }
    match.status = 405;
    match.allow = allowed(*endpoint);
    return match;
  }

  match.pattern = endpoint->patterns[index];
  request.captures.clear();
  request.captures.reserve(captures.count);
  for (std::size_t i = 0; i < captures.count; ++i) {
    const std::string_view encoded = captures.values[i];
    if (!encoded.contains('%')) {
      request.captures.emplace_back(encoded);
      continue;
    }
    auto decoded = percent_decode(encoded);
    if (!decoded) return refuse("the path's percent-encoding is broken");
    if (find_invalid_utf8(*decoded) != std::string_view::npos) return refuse("the path, percent-decoded, is not UTF-8");
    request.captures.push_back(*std::move(decoded));
  }
  if (!request.query_is_utf8()) return refuse("the query, percent-decoded, is not UTF-8");
  request.route = match.pattern;
  match.handler = &endpoint->handlers[index];
  return match;
}

std::vector<Router::Route> Router::routes() const {
  return impl_->routes;
}

}  // namespace cc::http
