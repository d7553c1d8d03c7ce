#include "api/native/watching.h"

#include <memory>
#include <string>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "api/native/answers.h"
#include "base/text.h"
#include "service/watching.h"

namespace cc::api::native {
namespace {

constexpr std::chrono::seconds kQuiet{15};     // then a comment tells that the stream lives
constexpr std::size_t kChangesPerPiece = 256;  // bounds what a slow client costs

// Changes of one revision are one step: only the last of them has the id, so that a client that lost the stream in
// between is told all of them again.
std::string events_of(const std::vector<ReleasePtr>& releases) {
  std::string piece;
  for (std::size_t i = 0; i < releases.size(); ++i) {
    const Release& release = *releases[i];
    const bool last = i + 1 == releases.size() || releases[i + 1]->revision != release.revision;
    if (last) fmt::format_to(std::back_inserter(piece), "id: {}\n", release.revision);
    fmt::format_to(std::back_inserter(piece), "event: {}\ndata: {}\n\n", release.deleted ? "deleted" : "published",
                   json::serialize(change_json(release)));
  }
  return piece;
}

std::string next_piece(service::Watch& watch) {
  const auto changes = watch.changes(kChangesPerPiece);
  watch.advance(changes.revision);
  return changes.releases.empty() ? std::string(":\n\n") : events_of(changes.releases);
}

Task<> tell(const Clock& clock, std::shared_ptr<service::Watch> watch, http::StreamWriter& writer) {
  for (;;) {
    const Mono quiet_until = clock.now() + kQuiet;
    while (watch->must_wait(quiet_until))
      co_await watch->sleep();
    if (watch->stopping() || watch->refused()) co_return;
    if (!co_await writer.write(next_piece(*watch))) co_return;
    // A client that takes all there is at once must not have the thread for itself.
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
}

}  // namespace

bool wants_events(const http::Request& request) {
  return request.method != http::Method::head && request.header("Accept").contains("text/event-stream");
}

Result<std::chrono::milliseconds> parse_wait(std::string_view text) {
  TRY(const std::chrono::milliseconds wait, parse_duration(text));
  if (wait < wait.zero() || wait > service::kLongestWait) {
    return fail(Code::invalid_argument,
                fmt::format("wait is {}: give at most {}", text, format_duration(service::kLongestWait)));
  }
  return wait;
}

Result<Revision> last_event_of(const http::Request& request) {
  const std::string_view id = trim(request.header("Last-Event-ID"));
  if (id.empty()) return 0;
  return parse_uint(id, "Last-Event-ID");
}

http::Response event_stream(service::Context& context, service::SessionPtr session,
                            std::vector<view::Interest> interests) {
  auto watch = std::make_shared<service::Watch>(context, std::move(session), std::move(interests));
  http::Response response(200);
  response.header("Content-Type", "text/event-stream").header("Cache-Control", "no-cache");
  response.stream([&clock = context.clock, watch = std::move(watch)](http::StreamWriter& writer) {
    return tell(clock, watch, writer);
  });
  return response;
}

}  // namespace cc::api::native
