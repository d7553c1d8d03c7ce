// What long polls and event streams have in common.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/exchange.h"
#include "service/context.h"

namespace cc::api::native {

bool wants_events(const http::Request& request);  // Accept: text/event-stream

// "30s", at most service::kLongestWait.
Result<std::chrono::milliseconds> parse_wait(std::string_view text);
// The revision of a Last-Event-ID; 0 without one.
Result<Revision> last_event_of(const http::Request& request);

// All changes of `interests` as server-sent events, until the client leaves, the node stops, or the session ends.
// requires: service::authorise_watch() allowed it.
http::Response event_stream(service::Context& context, service::SessionPtr session,
                            std::vector<view::Interest> interests);

}  // namespace cc::api::native
