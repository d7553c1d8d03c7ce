#include "api/native/watching.h"

#include <memory>
#include <string>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "api/native/answers.h"
#include "api/native/call.h"
#include "base/text.h"

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

http::Response event_stream(service::Context& context, Waiting waiting) {
  auto watch = std::make_shared<service::Watch>(context, std::move(waiting.session), std::move(waiting.interests));
  http::Response response(200);
  response.header("Content-Type", "text/event-stream").header("Cache-Control", "no-cache");
  mark_stale(context, response);
  response.stream([&clock = context.clock, watch = std::move(watch)](http::StreamWriter& writer) {
    return tell(clock, watch, writer);
  });
  return response;
}

// Its frame is what a waiting client costs: nothing that can be freed before may live here.
Task<http::Response> wait_and_say(service::Context& context, http::Request& request, Waiting waiting, Say say) {
  service::Watch watch(context, std::move(waiting.session), std::move(waiting.interests));
  while (watch.must_wait(waiting.until))
    co_await watch.sleep();
  if (watch.refused()) co_return http::Response::error(*watch.refused(), request.request_id);
  http::Response response = say(request, watch);
  mark_stale(context, response);
  co_return response;
}

// What the caller may watch can be something else when the node has caught up.
Task<Result<>> catch_up(service::Context& context, const http::Request& request, const Waiting& waiting) {
  const Mono deadline = context.clock.now() + context.timeout;
  CO_TRYV(co_await service::await_fresh(context, waiting.session, deadline, waiting.fresh));
  CO_TRY(identity::CallerPtr caller, waiting.session->caller(context.directory, context.clock.wall()));
  co_return service::authorise_watch(context,
                                     {.caller = std::move(caller),
                                      .address = request.remote_address,
                                      .request_id = request.request_id,
                                      .deadline = deadline},
                                     waiting.interests);
}

Task<http::Response> catch_up_and_wait(service::Context& context, http::Request& request, Waiting waiting, Say say,
                                       bool events) {
  if (const auto fresh = co_await catch_up(context, request, waiting); !fresh) {
    http::Response response = http::Response::error(fresh.error(), request.request_id);
    mark_stale(context, response);
    co_return response;
  }
  if (events) co_return event_stream(context, std::move(waiting));
  co_return co_await wait_and_say(context, request, std::move(waiting), say);
}

}  // namespace

bool wants_events(const http::Request& request) {
  return request.method != http::Method::head && request.header("Accept").contains("text/event-stream");
}

Result<std::chrono::milliseconds> parse_wait(std::string_view text) {
  TRY(const std::chrono::milliseconds wait, parse_duration(text));
  if (wait < std::chrono::milliseconds::zero() || wait > service::kLongestWait) {
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

Task<http::Response> wait_or_stream(service::Context& context, http::Request& request, Result<Waiting> waiting,
                                    Say say) {
  if (!waiting) return ready(http::Response::error(waiting.error(), request.request_id));
  const bool events = wants_events(request);
  request.begin_to_wait();
  if (waiting->fresh.asked()) return catch_up_and_wait(context, request, *std::move(waiting), say, events);
  if (events) return ready(event_stream(context, *std::move(waiting)));
  return wait_and_say(context, request, *std::move(waiting), say);
}

}  // namespace cc::api::native
