// Requests to a whole node behind the HTTP layer: names, queries and bodies of every route reach the services, the log
// and the state. Whatever they are, each is answered, never with a fault of the server; the answer can be read; and the
// node goes on taking changes.
//
// An input is requests, divided by the byte 0x1E: "admin PUT /v1/users/ann\nHeader: value\n\nbody". The first word is
// who sends it: admin, zhang (who may view prod), or anybody else, who is not logged in. The seeds are made of the
// examples in openapi.json, by seeds_of_api.py; what they name is there.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "api/native/routes.h"
#include "base/text.h"
#include "http/connections.h"
#include "must.h"
#include "service/configs.h"
#include "service/drafts.h"
#include "service/test_node.h"

namespace {

using namespace cc;
using fuzz::must;

// A few hundred inputs share a node, so that one input tells nearly all of what it takes to fail.
constexpr int kInputsPerNode = 256;

class World {
 public:
  World() {
    api::native::add_all_routes(router_, node_.context());
    node_.user("zhang", {{.role = Role::viewer, .scope = {.environment = "prod"}}});
    for (int version = 1; version <= 3; ++version)
      publish("prod/order-service/default/application.yaml", "pool:\n  size: " + std::to_string(version) + "\n");
    publish("prod/shop/default/a.txt", "text");
    const auto draft = node_.run(service::save_draft(
        node_.context(), admin(),
        {.key = ConfigKey::parse("prod/order-service/default/application.yaml").value(), .content = "pool: {}\n"}));
    must(draft.has_value(), "a draft is saved");
  }

  void send(std::string_view request) {
    node_.clock().advance(std::chrono::milliseconds(1));
    unsigned status = 0;
    std::string answer = answer_to(message_of(request), status);
    must(status != 500 && status != 503, "the node does not fail: " + answer);
    if (answer.contains("\r\nContent-Type: application/json\r\n")) {
      const std::string_view body = std::string_view(answer).substr(answer.find("\r\n\r\n") + 4);
      boost::system::error_code broken;
      if (!body.empty()) boost::json::parse(body, broken);
      must(!broken && find_invalid_utf8(body) == std::string_view::npos, "what is said to be JSON is JSON: " + answer);
    }
  }

  // The log still works, and everything that has been committed can be applied again.
  void goes_on() {
    publish("prod/shop/default/a.txt", "text");
    must(node_.context().log.status().trouble.empty(), "the log is in no trouble");
  }

 private:
  service::Call admin() { return node_.admin(); }

  void publish(const std::string& key, std::string content) {
    const auto call = admin();
    const auto done = node_.run(service::publish(
        node_.context(), call,
        {.key = ConfigKey::parse(key).value(), .content = std::move(content), .format = Format::yaml}));
    must(done.has_value(), done ? "" : "a config is published: " + done.error().message);
  }

  std::string message_of(std::string_view request) {
    const auto take = [&](std::string_view end) {
      const std::size_t at = request.find(end);
      const std::string_view taken = request.substr(0, at);
      request.remove_prefix(at == std::string_view::npos ? request.size() : at + end.size());
      return taken;
    };
    const std::string_view who = take(" ");
    std::string message(take("\n"));
    message += " HTTP/1.1\r\nHost: x\r\n";
    if (who == "admin" || who == "zhang") message += "Authorization: " + node_.token(std::string(who)) + "\r\n";
    for (std::string_view line = take("\n"); !line.empty(); line = take("\n"))
      message.append(line) += "\r\n";
    if (!request.empty()) message += "Content-Length: " + std::to_string(request.size()) + "\r\n";
    return message.append("\r\n").append(request);
  }

  std::string answer_to(std::string_view message, unsigned& status) {
    http::Usage usage;
    http::Server::Options options;
    options.on_answered = [&](std::string_view, http::Method, unsigned answered,
                              std::optional<std::chrono::nanoseconds>) { status = answered; };
    int sockets[2];
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0, "there are sockets");
    const int client = sockets[1];
    std::string answer;
    {
      http::Connections connections(node_.context().io, options, router_, usage, node_.clock());
      http::Socket served(node_.context().io);
      served.assign(asio::ip::tcp::v4(), sockets[0]);
      connections.add(std::move(served), "10.0.0.1");
      const auto turn = [&] {
        const ssize_t put = ::send(client, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put > 0) message.remove_prefix(static_cast<std::size_t>(put));
        if (message.empty()) ::shutdown(client, SHUT_WR);
        char buffer[65536];
        for (ssize_t got = 0; (got = ::recv(client, buffer, sizeof buffer, MSG_DONTWAIT)) > 0;)
          answer.append(buffer, static_cast<std::size_t>(got));
        return connections.size() == 0 || node_.view().waiters() != 0;
      };
      turn();
      node_.until(turn);
      // Whoever watches is waiting, or has been told all there is: then the client leaves.
      node_.settle();
      turn();
      const auto stopped = node_.start([](http::Connections& all) -> Task<bool> {
        co_await all.stop(Mono{});
        co_return true;
      }(connections));
      static_cast<void>(stopped->value());
      turn();
    }
    ::close(client);
    must(usage.connections == 0, "connections are counted down");
    must(node_.view().waiters() == 0, "nobody waits any more");
    for (const unsigned working : node_.context().working)
      must(working == 0, "no work is left");
    return answer;
  }

  service::TestNode node_;
  http::Router router_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<World> world;
  static int inputs = 0;
  if (inputs++ % kInputsPerNode == 0) {
    world.reset();
    world = std::make_unique<World>();
  }
  std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const std::string_view request : split(input, '\x1E'))
    world->send(request);
  world->goes_on();
  return 0;
}
