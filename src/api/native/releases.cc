#include "service/releases.h"

#include <functional>
#include <utility>

#include <fmt/format.h>

#include "api/native/answers.h"
#include "api/native/call.h"
#include "api/native/routes.h"
#include "base/text.h"
#include "model/diff.h"
#include "service/on_worker.h"

namespace cc::api::native {
namespace {

Task<Result<http::Response>> one_release(service::Context& context, service::Call call, http::Request& request,
                                         ConfigKey key) {
  CO_TRYV(only_query_of_read(request, {"version"}));
  CO_TRY(const Version version, parse_uint(request.query("version").value_or(""), "version"));
  CO_TRY(const auto found, co_await service::read_release(context, call, key, version));
  const ReleasePtr& release = found.value;
  json::object out{{"key", release->key_text},
                   {"version", release->version},
                   {"revision", release->revision},
                   {"deleted", release->deleted},
                   {"format", to_string(release->format)},
                   {"secret", release->secret},
                   {"size", release->content.size()},
                   {"md5", release->md5},
                   {"sha256", release->sha256},
                   {"author", release->author},
                   {"comment", release->comment},
                   {"time", format_time(release->time)},
                   {"content", release->content}};
  if (!release->rolled_back_from.empty()) {
    CO_TRY(out["rolled_back_from"], parse_uint(release->rolled_back_from, "rolled_back_from"));
  }
  http::Response response = json_response(200, out);
  mark_source(found.source, response);
  co_return response;
}

std::string_view word(DiffLine::Kind kind) {
  switch (kind) {
    case DiffLine::Kind::same:
      return "same";
    case DiffLine::Kind::removed:
      return "removed";
    case DiffLine::Kind::added:
      return "added";
  }
  std::unreachable();
}

// Written line by line, never a tree: texts of a mebibyte may have millions of lines.
Result<http::Response> lines_answer(const service::Sides& sides, const std::string& from, const std::string& to) {
  constexpr std::size_t kMost = 32u << 20;
  std::string text =
      fmt::format(R"({{"from":"{}","to":"{}","equal":{},"lines":[)", from, to, sides.before == sides.after);
  bool first = true;
  diff_lines(sides.before, sides.after, [&](const DiffLine& line) {
    if (text.size() > kMost) return;
    fmt::format_to(std::back_inserter(text), R"({}{{"kind":"{}","text":{})", std::exchange(first, false) ? "" : ",",
                   word(line.kind), json::serialize(line.text));
    if (line.old_line != 0) fmt::format_to(std::back_inserter(text), R"(,"old_line":{})", line.old_line);
    if (line.new_line != 0) fmt::format_to(std::back_inserter(text), R"(,"new_line":{})", line.new_line);
    text += '}';
  });
  if (text.size() > kMost) {
    return fail(Code::invalid_argument,
                "the two have so many lines that the answer would be longer than 32 MiB; ask for output=unified");
  }
  text += "]}";
  return http::Response::json(200, std::move(text));
}

Task<Result<http::Response>> diff(service::Context& context, service::Call call, http::Request& request,
                                  ConfigKey key) {
  CO_TRYV(only_query_of_read(request, {"diff", "output"}));
  const std::string span = request.query("diff").value_or("");
  const auto dots = span.find("..");
  if (dots == std::string::npos) {
    co_return fail(Code::invalid_argument,
                   fmt::format("diff is \"{}\": give two of version, draft, published as A..B", span));
  }
  CO_TRY(const service::Side from, service::Side::parse(std::string_view(span).substr(0, dots)));
  CO_TRY(const service::Side to, service::Side::parse(std::string_view(span).substr(dots + 2)));
  const std::string output = request.query("output").value_or("unified");
  if (output != "unified" && output != "json") {
    co_return fail(Code::invalid_argument, fmt::format("output is \"{}\": give unified or json", output));
  }
  CO_TRY(const service::Sides sides, co_await service::contents(context, call, key, from, to));
  const std::string name = key.to_string();
  co_return co_await service::on_worker(
      context, call, service::Work::document, [&](const Deadline&) -> Result<http::Response> {
        if (output == "json") return lines_answer(sides, from.to_string(), to.to_string());
        return http::Response::text(
            200, unified_diff(sides.before, sides.after, fmt::format("{} {}", name, from.to_string()),
                              fmt::format("{} {}", name, to.to_string())));
      });
}

Task<Result<http::Response>> history(service::Context& context, service::Call call, http::Request& request,
                                     ConfigKey key) {
  CO_TRYV(only_query_of_read(request, {"limit", "cursor"}));
  CO_TRY(const state::PageRequest page, page_of(request));
  CO_TRY(const auto found, co_await service::history(context, call, key, page));
  http::Response response = json_response(200, page_json(found.value, info_json));
  mark_source(found.source, response);
  co_return response;
}

Task<Result<http::Response>> get(service::Context& context, service::Call call, http::Request& request) {
  CO_TRY(ConfigKey key, key_of(request));
  if (request.query("version")) {
    co_return co_await one_release(context, std::move(call), request, std::move(key));
  }
  if (request.query("diff")) co_return co_await diff(context, std::move(call), request, std::move(key));
  co_return co_await history(context, std::move(call), request, std::move(key));
}

Task<Result<http::Response>> roll_back(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {"rollback", "comment"}));
  CO_TRY(const ConfigKey key, key_of(request));
  CO_TRY(const auto expected, expected_of(request));
  const auto given = request.query("rollback");
  if (!given) co_return fail(Code::invalid_argument, "give the version to go back to: ?rollback=N");
  CO_TRY(const Version to, parse_uint(*given, "rollback"));
  CO_TRY(const service::Change change,
         co_await service::roll_back(context, call, key, to, request.query("comment").value_or(""), expected));
  co_return published_answer(change);
}

}  // namespace

void add_release_routes(http::Router& router, service::Context& context) {
  const auto by = [&context](auto act) { return authenticated(context, std::bind_front(act, std::ref(context))); };
  constexpr auto kPattern = "/v1/releases/{env}/{app}/{cluster}/{name...}";
  router.add(http::Method::get, kPattern, by(get));
  router.add(http::Method::post, kPattern, by(roll_back));
}

}  // namespace cc::api::native
