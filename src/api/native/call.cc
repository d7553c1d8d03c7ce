#include "api/native/call.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "http/etag.h"
#include "model/quote.h"
#include "service/audit_trail.h"

namespace cc::api::native {
namespace {

constexpr std::size_t kMostItems = 1000;
constexpr std::string_view kConsistency = "consistency", kMinRevision = "min_revision";

Task<http::Response> answer(const Act& act, service::Call call, http::Request& request) {
  Result<http::Response> response = co_await act(std::move(call), request);
  if (!response) co_return http::Response::error(response.error(), request.request_id);
  co_return *std::move(response);
}

service::Call call_by(service::Context& context, const http::Request& request) {
  return {.caller = nullptr,
          .address = request.remote_address,
          .request_id = request.request_id,
          .deadline = context.clock.now() + context.timeout,
          .session = nullptr};
}

void record_refusal(service::Context& context, const http::Request& request, const Error& error) {
  context.audit.record({.time = context.clock.wall(),
                        .actor = "anonymous",
                        .address = request.remote_address,
                        .request_id = request.request_id,
                        .action = "authenticate",
                        .target = fmt::format("{} {}", http::to_string(request.method), request.path()),
                        .outcome = std::string(to_string(error.code)),
                        .message = error.message});
}

// Who calls, however often.
Result<service::Call> known_call(service::Context& context, const http::Request& request) {
  service::Call call = call_by(context, request);
  const Wall now = context.clock.wall();
  auto session = context.sessions.open(context.directory, request.header("Authorization"), request.remote_address, now);
  if (!session) {
    record_refusal(context, request, session.error());
    return fail(std::move(session).error());
  }
  call.caller = *(*session)->caller(context.directory, now);
  call.session = *std::move(session);
  return call;
}

// Waits as the client asks. Afterwards the caller may be somebody else: what they may do is to be as new as what they
// read.
Task<Result<service::Call>> await_freshness(service::Context& context, service::Call call,
                                            const http::Request& request) {
  CO_TRY(const service::Freshness wanted, freshness_of(request));
  if (!wanted.asked()) co_return std::move(call);
  CO_TRYV(co_await service::await_fresh(context, call.session, call.deadline, wanted));
  CO_TRY(service::Call now, known_call(context, request));
  now.deadline = call.deadline;
  co_return std::move(now);
}

Task<http::Response> answer_read(service::Context& context, const Act& act, service::Call call,
                                 http::Request& request) {
  Result<http::Response> response;
  if (!request.target.contains('?')) {
    response = co_await act(std::move(call), request);
  } else if (auto fresh = co_await await_freshness(context, std::move(call), request); fresh) {
    response = co_await act(*std::move(fresh), request);
  } else {
    response = fail(std::move(fresh).error());
  }
  http::Response answer = response ? *std::move(response) : http::Response::error(response.error(), request.request_id);
  mark_stale(context, answer);
  co_return answer;
}

Task<http::Response> refuse(Error error, http::Request& request) {
  co_return http::Response::error(error, request.request_id);
}

// "\"12\"" or W/"12" → 12. A proxy that compresses may have made the tag weak; the revision is the same.
Result<Revision> revision_of(std::string_view if_match) {
  const auto etags = http::parse_etags(if_match);
  if (!etags || etags->tags.size() != 1) {
    return fail(
        Code::invalid_argument,
        fmt::format("If-Match is {}: give one revision in quotation marks, as ETag had it", cc::quoted(if_match)));
  }
  return parse_uint(etags->tags.front().opaque, "the revision in If-Match");
}

Result<> json_is_sent(const http::Request& request) {
  const std::string_view type = request.header("Content-Type");
  const std::string_view media = trim(type.substr(0, type.find(';')));
  constexpr std::string_view kJson = "application/json";
  if (media.empty() || equal_ignoring_case(kJson, media)) return {};
  return fail(Code::invalid_argument,
              fmt::format("the body is sent as {}; this resource takes JSON: send Content-Type: application/json",
                          cc::quoted(media)));
}

// How many values a JSON text has at most, without making any of them: one, and what follows an opening bracket or a
// comma.
std::size_t most_values_in(std::string_view json) {
  std::size_t values = 1;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == ',' || c == '[' || c == '{') {
      ++values;
    }
  }
  return values;
}

Result<> check_cost(std::string_view json, JsonLimits limits) {
  if (json.size() > limits.bytes) {
    return fail(Code::exhausted,
                fmt::format("the body has {} bytes; this resource takes at most {}", json.size(), limits.bytes),
                fmt::format(R"({{"limit_bytes":{}}})", limits.bytes));
  }
  if (most_values_in(json) > limits.values) {
    return fail(Code::invalid_argument,
                fmt::format("the body holds more than the {} values that this resource takes", limits.values));
  }
  return {};
}

Result<> check_query(const http::Request& request, std::span<const std::string_view> known) {
  const auto unknown = request.unknown_query(known);
  if (!unknown) return {};
  const std::string_view near = nearest(*unknown, {known.begin(), known.end()});
  std::string advice = known.empty()  ? "this resource takes none"
                       : near.empty() ? fmt::format("there are: {}", fmt::join(known, ", "))
                                      : fmt::format("did you mean \"{}\"?", near);
  return fail(Code::invalid_argument, fmt::format("unknown query parameter {}: {}", cc::quoted(*unknown), advice));
}

}  // namespace

Result<service::Call> call_of(service::Context& context, const http::Request& request) {
  auto call = known_call(context, request);
  const auto admitted = call ? call->session->admit(context.clock)
                             : context.sessions.admit_stranger(request.remote_address, context.clock.now());
  if (!admitted) return fail(admitted.error());
  return call;
}

Result<> admit_large_body(service::Context& context, const http::Request& request) {
  TRY(const service::Call call, known_call(context, request));
  const identity::Caller& caller = *call.caller;
  if (caller.kind != identity::Caller::Kind::anonymous || caller.may_somewhere(Permission::read)) return {};
  auto refused =
      fail(Code::unauthenticated,
           "a body of this size is taken from who is logged in only: send a token as \"Authorization: Bearer "
           "…\"; POST /v1/login, or config-center login, makes one");
  record_refusal(context, request, refused.error());
  return refused;
}

http::Handler authenticated(service::Context& context, Act act) {
  return [&context, act = std::move(act)](http::Request& request) {
    auto call = call_of(context, request);
    if (!call) return refuse(std::move(call).error(), request);
    const bool reads = request.method == http::Method::get || request.method == http::Method::head;
    if (reads) return answer_read(context, act, *std::move(call), request);
    return answer(act, *std::move(call), request);
  };
}

http::Handler open_to_all(service::Context& context, Act act) {
  return [&context, act = std::move(act)](http::Request& request) {
    service::Call call = call_by(context, request);
    static const auto kAnonymous = std::make_shared<const identity::Caller>(identity::Caller{.name = "anonymous"});
    call.caller = kAnonymous;
    return answer(act, std::move(call), request);
  };
}

Result<state::PageRequest> page_of(const http::Request& request) {
  state::PageRequest page;
  if (const auto limit = request.query("limit")) {
    TRY(page.limit, parse_uint(*limit, "limit"));
    if (page.limit < 1 || page.limit > kMostItems) {
      return fail(Code::invalid_argument, fmt::format("limit is {}: give 1 to {}", page.limit, kMostItems));
    }
  }
  if (auto cursor = request.query("cursor")) page.cursor = *std::move(cursor);
  return page;
}

Result<ConfigKey> key_of(const http::Request& request, std::size_t first_capture) {
  const auto& captures = request.captures;
  if (captures.size() < first_capture + 4) {
    return fail(Code::internal, fmt::format("the route {} names no config", request.route));
  }
  ConfigKey key{.environment = captures[first_capture],
                .application = captures[first_capture + 1],
                .cluster = captures[first_capture + 2],
                .name = captures[first_capture + 3]};
  TRYV(check(key));
  return key;
}

Result<json::object> object_of(const http::Request& request, std::initializer_list<std::string_view> known,
                               JsonLimits limits) {
  TRYV(json_is_sent(request));
  if (request.body.empty()) return json::object{};
  TRYV(check_cost(request.body, limits));
  boost::system::error_code broken;
  json::value value = json::parse(request.body, broken);
  if (broken) {
    return fail(Code::invalid_argument, fmt::format("the body is not JSON: {}", broken.message()));
  }
  if (!value.is_object()) return fail(Code::invalid_argument, "the body must be a JSON object");
  for (const auto& member : value.get_object()) {
    const std::string_view name = member.key();
    if (std::ranges::find(known, name) == known.end()) {
      return fail(Code::invalid_argument, fmt::format("the body has an unknown member {}; there are: {}",
                                                      cc::quoted(name), fmt::join(known, ", ")));
    }
  }
  return std::move(value.get_object());
}

Result<std::optional<service::Expected>> expected_of(const http::Request& request) {
  const std::string_view match = trim(request.header("If-Match"));
  const std::string_view none = trim(request.header("If-None-Match"));
  if (!match.empty() && !none.empty()) {
    return fail(Code::invalid_argument, "give If-Match or If-None-Match, not both");
  }
  if (!none.empty()) {
    if (none == "*") return service::Expected(0);
    return fail(Code::invalid_argument, "with a change, If-None-Match can only be *: the config must not exist");
  }
  if (match.empty()) return std::nullopt;
  if (match == "*") return service::Expected::anything();
  TRY(const Revision revision, revision_of(match));
  return service::Expected(revision);
}

Result<> only_query(const http::Request& request, std::initializer_list<std::string_view> known) {
  return check_query(request, {known.begin(), known.size()});
}

Result<> only_query_of_read(const http::Request& request, std::initializer_list<std::string_view> known) {
  std::vector<std::string_view> all(known);
  all.insert(all.end(), {kConsistency, kMinRevision});
  return check_query(request, all);
}

Result<std::optional<bool>> flag_of(const http::Request& request, std::string_view name) {
  const auto given = request.query(name);
  if (!given) return std::nullopt;
  if (*given != "true" && *given != "false")
    return fail(Code::invalid_argument, fmt::format("{} is {}: give true or false", name, cc::quoted(*given)));
  return *given == "true";
}

Result<service::Freshness> freshness_of(const http::Request& request) {
  service::Freshness wanted;
  if (const auto consistency = request.query(kConsistency)) {
    if (*consistency != "strong") {
      return fail(Code::invalid_argument,
                  fmt::format("consistency is {}: give strong, for everything that any node has acknowledged, or leave "
                              "it out, for what this node has",
                              cc::quoted(*consistency)));
    }
    wanted.strong = true;
  }
  if (const auto revision = request.query(kMinRevision)) {
    TRY(wanted.min_revision, parse_uint(*revision, kMinRevision));
  }
  return wanted;
}

void mark_source(archive::Source source, http::Response& response) {
  response.header("X-Config-Source", std::string(archive::to_string(source)));
}

void mark_stale(const service::Context& context, http::Response& response) {
  if (context.group->stale()) response.header("X-Config-Stale", "true");
}

http::Response json_response(unsigned status, const json::value& body) {
  return http::Response::json(status, json::serialize(body));
}

}  // namespace cc::api::native
