#include "service/drafts.h"

#include <functional>
#include <utility>

#include <fmt/format.h>

#include "api/native/answers.h"
#include "api/native/call.h"
#include "api/native/routes.h"
#include "base/text.h"
#include "http/etag.h"

namespace cc::api::native {
namespace {

Task<Result<http::Response>> get(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {}));
  CO_TRY(const ConfigKey key, key_of(request));
  CO_TRY(Draft draft, co_await service::read_draft(context, call, key));
  const std::string revision = std::to_string(draft.revision);
  const bool known = http::none_match_hits(request.header("If-None-Match"), revision);
  http::Response response(known ? 304 : 200);
  response.header("ETag", http::etag(revision))
      .header("X-Config-Revision", revision)
      .header("X-Config-Base-Version", std::to_string(draft.base_version));
  if (known) co_return response;
  response.header("Content-Type", media_type(draft.format))
      .header("X-Config-Format", to_string(draft.format))
      .header("X-Config-Md5", draft.md5)
      .body(std::move(draft.content));
  co_return response;
}

// {"message"}, and where it is: {"line","column","reason"}.
json::object problem_json(const Error& error) {
  json::object problem{{"message", error.message}};
  boost::system::error_code none;
  if (const json::value details = json::parse(error.details, none); !none && details.is_object()) {
    for (const auto& member : details.get_object())
      problem[member.key()] = member.value();
  }
  return problem;
}

Task<Result<http::Response>> put(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {"format"}));
  CO_TRY(ConfigKey key, key_of(request));
  CO_TRY(const auto expected, expected_of(request));
  std::optional<Format> format;
  if (const auto given = request.query("format")) {
    CO_TRY(format, parse_format(*given));
  }
  CO_TRY(const service::SavedDraft saved,
         co_await service::save_draft(
             context, call,
             {.key = std::move(key), .content = std::move(request.body), .format = format, .expected = expected}));
  json::object body{
      {"key", saved.key}, {"revision", saved.revision}, {"md5", saved.md5}, {"valid", !saved.problem.has_value()}};
  if (saved.problem) body["problem"] = problem_json(*saved.problem);
  http::Response response = json_response(200, body);
  mark_repeated(response, saved.repeated);
  co_return response;
}

Task<Result<http::Response>> discard(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const ConfigKey key, key_of(request));
  CO_TRY(const service::SavedDraft discarded, co_await service::discard_draft(context, call, key));
  http::Response response = json_response(200, json::object{{"key", discarded.key}, {"revision", discarded.revision}});
  mark_repeated(response, discarded.repeated);
  co_return response;
}

json::object draft_json(const Draft& draft) {
  return {{"key", draft.key},
          {"format", to_string(draft.format)},
          {"base_version", draft.base_version},
          {"revision", draft.revision},
          {"size", draft.size},
          {"md5", draft.md5},
          {"author", draft.author},
          {"time", format_time(draft.time)}};
}

Task<Result<http::Response>> list(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {"environment", "application", "cluster", "prefix", "limit", "cursor"}));
  CO_TRY(const state::PageRequest page, page_of(request));
  state::ConfigFilter filter{.environment = request.query("environment").value_or(""),
                             .application = request.query("application").value_or(""),
                             .cluster = request.query("cluster").value_or(""),
                             .prefix = request.query("prefix").value_or(""),
                             .text = {}};
  CO_TRY(const auto found, co_await service::list_drafts(context, call, std::move(filter), page));
  co_return json_response(200, page_json(found, draft_json));
}

}  // namespace

void add_draft_routes(http::Router& router, service::Context& context) {
  const auto by = [&context](auto act) { return authenticated(context, std::bind_front(act, std::ref(context))); };
  constexpr auto kPattern = "/v1/drafts/{env}/{app}/{cluster}/{name...}";
  router.add(http::Method::get, kPattern, by(get));
  router.add(http::Method::put, kPattern, by(put));
  router.add(http::Method::delete_, kPattern, by(discard));
  router.add(http::Method::get, "/v1/drafts", by(list));
}

}  // namespace cc::api::native
