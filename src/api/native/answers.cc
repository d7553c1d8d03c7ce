#include "api/native/answers.h"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "http/etag.h"

namespace cc::api::native {
namespace {

// Decimal digits without an allocation.
class Digits {
 public:
  explicit Digits(std::uint64_t number)
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr) {}
  operator std::string_view() const { return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())}; }

 private:
  std::array<char, 20> digits_;
  char* end_;
};

}  // namespace

http::Response content_answer(const http::Request& request, ReleasePtr release) {
  const std::string_view opaque = std::string_view(release->etag).substr(1, release->etag.size() - 2);
  const std::string_view none_match = request.header("If-None-Match");
  const bool known = !none_match.empty() && http::none_match_hits(none_match, opaque);
  http::Response response(known ? 304 : 200);
  response.header("ETag", release->etag)
      .header("X-Config-Revision", opaque)
      .header("X-Config-Version", Digits(release->version));
  if (known) return response;
  response.header("Content-Type", media_type(release->format))
      .header("X-Config-Format", to_string(release->format))
      .header("X-Config-Md5", release->md5);
  if (release->secret) response.header("X-Config-Secret", "true");
  const std::string_view content = release->content;
  response.shared_body(std::move(release), content);
  return response;
}

http::Response no_content_answer(const http::Request& request, std::string_view key, const ReleasePtr& release) {
  if (!release) {
    return http::Response::error({.code = Code::not_found, .message = fmt::format("there is no config {}", key)},
                                 request.request_id);
  }
  http::Response response = http::Response::error(
      {.code = Code::not_found,
       .message = fmt::format("the config {} was deleted at revision {}", key, release->revision)},
      request.request_id);
  response.header("X-Config-Revision", Digits(release->revision)).header("X-Config-Deleted", "true");
  return response;
}

json::object published_json(const service::Published& published) {
  return {{"key", published.key},
          {"version", published.version},
          {"revision", published.revision},
          {"md5", published.md5},
          {"sha256", published.sha256}};
}

Result<http::Response> published_answer(const service::Change& change) {
  if (change.published.size() != 1)
    return fail(Code::internal, "the log did not say what it published: are all nodes of one version?");
  const service::Published& published = change.published.front();
  http::Response response =
      http::Response::json(published.version == 1 ? 201 : 200, json::serialize(published_json(published)));
  mark_repeated(response, change.repeated);
  return response;
}

void mark_repeated(http::Response& response, bool repeated) {
  if (repeated) response.header("X-Config-Repeated", "true");
}

json::object info_json(const ReleaseInfo& info) {
  json::object out{{"key", info.key},
                   {"version", info.version},
                   {"revision", info.revision},
                   {"deleted", info.deleted},
                   {"format", to_string(info.format)},
                   {"secret", info.secret},
                   {"size", info.size},
                   {"md5", info.md5},
                   {"sha256", info.sha256},
                   {"author", info.author},
                   {"comment", info.comment},
                   {"time", format_time(info.time)}};
  if (info.rolled_back_from) out["rolled_back_from"] = *info.rolled_back_from;
  return out;
}

json::object change_json(const Release& release) {
  return {{"key", release.key_text},    {"revision", release.revision},
          {"version", release.version}, {"format", to_string(release.format)},
          {"secret", release.secret},   {"md5", release.md5},
          {"sha256", release.sha256},   {"size", release.content.size()},
          {"deleted", release.deleted}};
}

Task<http::Response> ready(http::Response response) {
  co_return std::move(response);
}

}  // namespace cc::api::native
