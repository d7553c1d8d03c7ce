// What a client may send: the first byte says in what pieces, the rest are the bytes. Whatever they are, the server
// answers or closes; it answers the same in whatever pieces they come; and each answer is whole.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/text.h"
#include "http/connections.h"
#include "http/etag.h"
#include "http/router.h"
#include "must.h"

namespace {

using namespace cc::http;
namespace asio = cc::asio;
using cc::fuzz::must;

cc::Task<Response> echo(Request& request) {
  std::string out(to_string(request.method));
  const auto add = [&out](std::string_view text) { out.append("|").append(text); };
  const auto add_text = [&add](std::string_view text) {
    must(cc::find_invalid_utf8(text) == std::string_view::npos, "handlers see UTF-8 only");
    add(text);
  };
  for (const std::string& capture : request.captures)
    add_text(capture);
  add_text(request.path());
  add_text(request.query("a").value_or("none"));
  add_text(request.unknown_query({"a", "b"}).value_or("none"));
  if (const auto etags = parse_etags(request.header("If-None-Match"))) {
    for (const auto& tag : etags->tags)
      add(tag.opaque);
  }
  add(request.header("Authorization"));
  must(request.path().size() <= request.target.size(), "the path is part of the target");
  must(request.body.size() <= 4096, "no handler sees a body over the limit");
  must(request.request_id.size() >= 1 && request.request_id.size() <= 64, "each request has an id");
  add(request.body);
  Response response = Response::text(200, std::move(out));
  response.header("X-Echo", request.header("X-Echo"));
  co_return response;
}

const Router& router() {
  static const Router routes = [] {
    Router made;
    made.add(Method::get, "/hello", echo);
    made.add(Method::put, "/hello", echo);
    made.add(Method::post, "/v1/{x}", echo);
    made.add(Method::get, "/v1/configs/{env}/{app}/{cluster}/{name...}", echo);
    made.add(Method::put, "/v1/configs/{env}/{app}/{cluster}/{name...}", echo);
    return made;
  }();
  return routes;
}

void read_answers(int socket, std::string& out) {
  char buffer[65536];
  for (ssize_t got = 0; (got = ::recv(socket, buffer, sizeof buffer, MSG_DONTWAIT)) > 0;)
    out.append(buffer, static_cast<std::size_t>(got));
}

// One line for each answer.
std::string outline(std::string_view answers) {
  std::string out;
  while (!answers.empty()) {
    must(answers.starts_with("HTTP/1.1 "), "an answer begins with its status line");
    const auto end = answers.find("\r\n\r\n");
    must(end != std::string_view::npos, "an answer has a whole head");
    const std::string_view head = answers.substr(0, end + 2);
    answers.remove_prefix(end + 4);
    const std::string_view status = head.substr(9, 3);
    if (status == "100") continue;
    must(head.contains("\r\nX-Request-Id: ") && head.contains("\r\nDate: "), "an answer is named and dated");
    out.append(status).append("\n");
    const auto length = head.find("\r\nContent-Length: ");
    if (length == std::string_view::npos) {
      must(status == "204", "an answer says how long it is");
      continue;
    }
    // Of HEAD there is a length but no body: then the next answer, or nothing, follows.
    const auto size = std::stoul(std::string(head.substr(length + 18)));
    if (answers.size() >= size && !answers.starts_with("HTTP/1.1 ")) answers.remove_prefix(size);
  }
  return out;
}

std::string answers_to(std::string_view bytes, std::size_t piece) {
  static asio::io_context io{1};
  const cc::SystemClock clock;
  Usage usage;
  Server::Options options;
  options.limits.header = 1024;
  options.limits.body = 4096;
  std::string out;
  options.on_answered = [&out](std::string_view route, Method method, unsigned status,
                               std::optional<std::chrono::nanoseconds>) {
    out.append(to_string(method)).append(" ").append(route).append(" ").append(std::to_string(status)).append("\n");
  };
  int sockets[2];
  must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0, "there are sockets");
  std::string answers;
  {
    Connections connections(io, options, router(), usage, clock);
    Socket served(io);
    served.assign(asio::ip::tcp::v4(), sockets[0]);
    connections.add(std::move(served), "127.0.0.1");
    const auto turn = [&] {
      io.restart();
      io.poll();
      read_answers(sockets[1], answers);
    };
    turn();
    while (!bytes.empty() && connections.size() == 1) {
      const std::string_view now = bytes.substr(0, piece);
      const ssize_t put = ::send(sockets[1], now.data(), now.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
      turn();
    }
    ::shutdown(sockets[1], SHUT_WR);
    for (int turns = 0; connections.size() == 1 && turns < 1000; ++turns)
      turn();
    must(connections.size() == 0, "the connection ends when the client stops sending");
    turn();
  }
  ::close(sockets[1]);
  must(usage.connections == 0, "connections are counted down");
  return out + outline(answers);
}

bool contains_expect(std::string_view bytes) {
  std::string lower(bytes);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower.contains("expect");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = 1 + data[0] % 64;
  const std::string whole = answers_to(bytes, bytes.size() + 1);
  const std::string in_pieces = answers_to(bytes, std::max(piece, bytes.size() / 256));
  // A client that waits to be told to continue is told so or refused, depending on what came along with its header.
  must(contains_expect(bytes) || whole == in_pieces, "pieces make no difference:\n" + whole + "---\n" + in_pieces);
  return 0;
}
