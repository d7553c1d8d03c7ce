// What long polls and event streams have in common.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "http/exchange.h"
#include "service/context.h"
#include "service/freshness.h"
#include "service/watching.h"

namespace cc::api::native {

bool wants_events(const http::Request& request);  // Accept: text/event-stream
// "30s", at most service::kLongestWait.
Result<std::chrono::milliseconds> parse_wait(std::string_view text);
// The revision of a Last-Event-ID; 0 without one.
Result<Revision> last_event_of(const http::Request& request);

// What a request waits for. requires: service::authorise_watch() allowed it.
struct Waiting {
  service::SessionPtr session;
  std::vector<view::Interest> interests;
  Mono until;
  service::Freshness fresh;  // of the first look
};
// The answer when the wait is over: there are changes, or the time is up.
using Say = http::Response (*)(const http::Request& request, service::Watch& watch);

// Waits, and answers with `say`. A client that wants events gets each config's newest release or tombstone in the order
// of their revisions, first those that there are and then those that come, until it leaves, the node stops, or its
// session ends. What was replaced before it could be sent is left out: a slow client costs no queue.
Task<http::Response> wait_or_stream(service::Context& context, http::Request& request, Result<Waiting> waiting,
                                    Say say);

}  // namespace cc::api::native
