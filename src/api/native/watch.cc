#include <functional>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "api/native/answers.h"
#include "api/native/call.h"
#include "api/native/members.h"
#include "api/native/routes.h"
#include "api/native/watching.h"
#include "model/quote.h"

namespace cc::api::native {
namespace {

constexpr std::size_t kChangesPerAnswer = 1000;
// Of each item three: itself, its key, its revision. The rest is for what is told better item by item.
constexpr JsonLimits kWatchLimits{.bytes = std::numeric_limits<std::size_t>::max(),
                                  .values = 4 * service::kMostInterests};

// {"key"|"prefix": "…", "revision": R}
Result<view::Interest> interest_of(const json::value& item, Revision at_least) {
  if (!item.is_object()) return fail(Code::invalid_argument, "each item must be an object");
  const json::object& object = item.get_object();
  view::Interest interest{.text = {}, .prefix = object.contains("prefix"), .after = 0};
  const std::string_view place = interest.prefix ? "prefix" : "key";
  for (const auto& member : object) {
    if (member.key() != place && member.key() != "revision") {
      return fail(Code::invalid_argument,
                  fmt::format("an item has {}; it takes key or prefix, and revision", cc::quoted(member.key())));
    }
  }
  const json::value* text = object.if_contains(place);
  if (text == nullptr || !text->is_string()) {
    return fail(Code::invalid_argument, "each item needs a key or a prefix, which must be a string");
  }
  interest.text = std::string_view(text->get_string());
  if (const json::value* revision = object.if_contains("revision")) {
    boost::system::error_code none;
    interest.after = revision->is_number() ? revision->to_number<Revision>(none) : 0;
    if (none || !revision->is_number()) {
      return fail(Code::invalid_argument,
                  fmt::format("the revision of {} must be a whole number, 0 for none", cc::quoted(interest.text)));
    }
  }
  interest.after = std::max(interest.after, at_least);
  return interest;
}

Result<Waiting> waiting_of(service::Context& context, const http::Request& request) {
  TRY(service::Call call, call_of(context, request));
  TRYV(only_query_of_read(request, {}));
  TRY(const json::object body, object_of(request, {"wait", "items"}, kWatchLimits));
  TRY(const std::string wait_text, string_in(body, "wait"));
  std::chrono::milliseconds wait{0};
  if (!wait_text.empty()) {
    TRY(wait, parse_wait(wait_text));
  }
  TRY(const Revision at_least, last_event_of(request));
  const json::value* items = body.if_contains("items");
  if (items == nullptr || !items->is_array()) {
    return fail(Code::invalid_argument, "the body needs \"items\": a list of keys or prefixes to watch");
  }
  TRY(const service::Freshness fresh, freshness_of(request));
  Waiting waiting{
      .session = std::move(call.session), .interests = {}, .until = context.clock.now() + wait, .fresh = fresh};
  waiting.interests.reserve(items->get_array().size());
  for (const json::value& item : items->get_array()) {
    TRY(view::Interest interest, interest_of(item, at_least));
    waiting.interests.push_back(std::move(interest));
  }
  TRYV(service::authorise_watch(context, call, waiting.interests));
  return waiting;
}

http::Response changes_answer(const http::Request&, service::Watch& watch) {
  const auto found = watch.changes(kChangesPerAnswer);
  json::array changes;
  for (const ReleasePtr& release : found.releases)
    changes.push_back(change_json(*release));
  return json_response(200, {{"revision", found.revision}, {"changes", std::move(changes)}});
}

}  // namespace

void add_watch_routes(http::Router& router, service::Context& context) {
  router.add(http::Method::post, "/v1/watch", [&context](http::Request& request) {
    return wait_or_stream(context, request, waiting_of(context, request), changes_answer);
  });
}

}  // namespace cc::api::native
