#include "service/configs.h"

#include <functional>
#include <utility>

#include "api/native/answers.h"
#include "api/native/call.h"
#include "api/native/routes.h"
#include "api/native/watching.h"
#include "base/text.h"

namespace cc::api::native {
namespace {

constexpr std::string_view kPattern = "/v1/configs/{env}/{app}/{cluster}/{name...}";
constexpr std::string_view kStart = "/v1/configs/";

// Answers without a copy of anything when the path is the key as it stands, the caller is known and may read.
// Null: take the long way, which says what is wrong.
ReleasePtr find_quickly(service::Context& context, const http::Request& request) {
  const std::string_view path = request.path();
  if (!path.starts_with(kStart) || path.contains('%')) return nullptr;
  ReleasePtr release = context.view.find(path.substr(kStart.size()));
  if (!release || release->deleted) return nullptr;
  const Wall now = context.clock.wall();
  const auto session =
      context.sessions.open(context.directory, request.header("Authorization"), request.remote_address, now);
  if (!session) return nullptr;
  const auto& caller = (*session)->caller(context.directory, now);
  if (!caller || !(*caller)->may(Permission::read, release->key.environment, release->key.application)) return nullptr;
  // Last: the long way asks whether it may be answered at all, and then counts it.
  if (!(*session)->admit(context.clock)) return nullptr;
  context.reads->add(release->key.environment);
  return release;
}

http::Response newest_answer(const http::Request& request, std::string_view key, ReleasePtr release) {
  if (!release || release->deleted) return no_content_answer(request, key, release);
  return content_answer(request, std::move(release));
}

Result<http::Response> read_newest(service::Context& context, const service::Call& call, const http::Request& request) {
  TRY(const ConfigKey key, key_of(request));
  TRY(ReleasePtr release, service::read_config(context, call, key));
  return newest_answer(request, key.to_string(), std::move(release));
}

http::Response read_now(service::Context& context, const http::Request& request) {
  http::Response response;
  if (ReleasePtr release = find_quickly(context, request)) {
    response = content_answer(request, std::move(release));
  } else {
    const auto call = call_of(context, request);
    auto answer = call ? read_newest(context, *call, request) : fail(call.error());
    response = answer ? *std::move(answer) : http::Response::error(answer.error(), request.request_id);
  }
  mark_stale(context, response);
  return response;
}

Task<Result<http::Response>> read_as_asked(service::Context& context, service::Call call, http::Request& request) {
  co_return read_newest(context, call, request);
}

Task<Result<http::Response>> read_version(service::Context& context, service::Call call, http::Request& request) {
  CO_TRY(const ConfigKey key, key_of(request));
  CO_TRY(const Version version, parse_uint(request.query("version").value_or(""), "version"));
  CO_TRY(auto release, co_await service::read_release(context, call, key, version));
  http::Response response = content_answer(request, std::move(release.value));
  mark_source(release.source, response);
  co_return response;
}

// --- waiting ---

Result<Waiting> waiting_of(service::Context& context, const http::Request& request) {
  TRY(service::Call call, call_of(context, request));
  TRY(const ConfigKey key, key_of(request));
  TRY(Revision after, last_event_of(request));
  const auto given = request.query("after");
  if (given) {
    TRY(after, parse_uint(*given, "after"));
  }
  std::chrono::milliseconds wait{0};
  if (const auto text = request.query("wait")) {
    TRY(wait, parse_wait(*text));
    if (!given) return fail(Code::invalid_argument, "wait needs after: the revision that you have, or 0");
  }
  TRY(const service::Freshness fresh, freshness_of(request));
  Waiting waiting{
      .session = std::move(call.session), .interests = {}, .until = context.clock.now() + wait, .fresh = fresh};
  waiting.interests.push_back({.text = key.to_string(), .prefix = false, .after = after});
  TRYV(service::authorise_watch(context, call, waiting.interests));
  return waiting;
}

http::Response poll_answer(const http::Request& request, service::Watch& watch) {
  auto changes = watch.changes();
  if (!changes.releases.empty()) {
    ReleasePtr& release = changes.releases.front();
    return newest_answer(request, release->key_text, release);
  }
  http::Response response(304);
  response.header("X-Config-Revision", std::to_string(changes.revision));
  return response;
}

// --- changing ---

Task<Result<http::Response>> put(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {"comment", "format", "secret", "from", "draft_revision"}));
  CO_TRY(ConfigKey key, key_of(request));
  CO_TRY(const auto expected, expected_of(request));
  std::string comment = request.query("comment").value_or("");
  std::optional<Format> format;
  if (const auto given = request.query("format")) {
    CO_TRY(format, parse_format(*given));
  }
  CO_TRY(const auto secret, flag_of(request, "secret"));
  const auto draft_revision = request.query("draft_revision");
  if (const auto from = request.query("from")) {
    if (*from != "draft") co_return fail(Code::invalid_argument, "from can only be draft");
    if (format || !request.body.empty()) {
      co_return fail(Code::invalid_argument, "with from=draft, content and format are the draft's: send neither");
    }
    std::optional<service::Expected> expected_draft;
    if (draft_revision) {
      CO_TRY(expected_draft, parse_uint(*draft_revision, "draft_revision"));
    }
    CO_TRY(const service::Change change, co_await service::publish_draft(context, call,
                                                                         {.key = std::move(key),
                                                                          .secret = secret,
                                                                          .comment = std::move(comment),
                                                                          .expected = expected,
                                                                          .expected_draft = expected_draft}));
    co_return published_answer(change);
  }
  if (draft_revision) co_return fail(Code::invalid_argument, "draft_revision goes with from=draft");
  CO_TRY(const service::Change change, co_await service::publish(context, call,
                                                                 {.key = std::move(key),
                                                                  .content = std::move(request.body),
                                                                  .format = format,
                                                                  .secret = secret,
                                                                  .comment = std::move(comment),
                                                                  .expected = expected}));
  co_return published_answer(change);
}

Task<Result<http::Response>> remove(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {"comment"}));
  CO_TRY(const ConfigKey key, key_of(request));
  CO_TRY(const auto expected, expected_of(request));
  CO_TRY(const service::Change change,
         co_await service::delete_config(context, call, key, request.query("comment").value_or(""), expected));
  json::object body{{"key", key.to_string()}, {"revision", change.revision}};
  if (!change.published.empty()) body["version"] = change.published.front().version;
  http::Response response = json_response(200, body);
  mark_repeated(response, change.repeated);
  co_return response;
}

// --- listing ---

json::object config_json(const ReleaseInfo& info) {
  const KeyParts parts = parts_of(info.key);
  return {{"key", info.key},
          {"environment", parts.environment},
          {"application", parts.application},
          {"cluster", parts.cluster},
          {"name", parts.name},
          {"format", to_string(info.format)},
          {"secret", info.secret},
          {"version", info.version},
          {"revision", info.revision},
          {"size", info.size},
          {"md5", info.md5},
          {"sha256", info.sha256},
          {"author", info.author},
          {"comment", info.comment},
          {"time", format_time(info.time)}};
}

Task<Result<http::Response>> list(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(
      only_query_of_read(request, {"environment", "application", "cluster", "prefix", "q", "in", "limit", "cursor"}));
  CO_TRY(const state::PageRequest page, page_of(request));
  const std::string in = request.query("in").value_or("");
  if (!in.empty() && in != "content") co_return fail(Code::invalid_argument, "in can only be content");
  state::ConfigFilter filter{.environment = request.query("environment").value_or(""),
                             .application = request.query("application").value_or(""),
                             .cluster = request.query("cluster").value_or(""),
                             .prefix = request.query("prefix").value_or(""),
                             .text = request.query("q").value_or(""),
                             .in_content = in == "content"};
  CO_TRY(const auto found, co_await service::list_configs(context, call, std::move(filter), page));
  co_return json_response(200, page_json(found, config_json));
}

}  // namespace

void add_config_routes(http::Router& router, service::Context& context) {
  const auto by = [&context](auto act) { return authenticated(context, std::bind_front(act, std::ref(context))); };

  router.add(http::Method::get, std::string(kPattern),
             [&context, by_version = by(read_version),
              as_asked = by(read_as_asked)](http::Request& request) -> Task<http::Response> {
               const bool events = wants_events(request);
               if (!events && !request.target.contains('?')) return ready(read_now(context, request));
               if (const auto known = only_query_of_read(request, {"version", "after", "wait"}); !known) {
                 return ready(http::Response::error(known.error(), request.request_id));
               }
               if (request.query("version")) {
                 if (!events && !request.query("after") && !request.query("wait")) return by_version(request);
                 return ready(http::Response::error(
                     {.code = Code::invalid_argument, .message = "version does not go with after, wait and events"},
                     request.request_id));
               }
               if (events || request.query("after") || request.query("wait")) {
                 return wait_or_stream(context, request, waiting_of(context, request), poll_answer);
               }
               return as_asked(request);
             });
  router.add(http::Method::put, std::string(kPattern), by(put));
  router.add(http::Method::delete_, std::string(kPattern), by(remove));
  router.add(http::Method::get, "/v1/configs", by(list));
}

}  // namespace cc::api::native
