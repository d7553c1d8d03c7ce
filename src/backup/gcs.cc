#include "backup/gcs.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "backup/parts.h"
#include "backup/sigv4.h"
#include "base/bytes.h"
#include "base/text.h"

namespace cc::backup {
namespace {

// A token is replaced before it expires on the way.
constexpr std::chrono::minutes kEarly{2};

using Query = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::string method = "GET";
  std::string path;
  Query query = {};
  Headers headers = {};
  std::string_view body = {};
};

Result<boost::json::object> object_of(const WebAnswer& answer, std::string_view what) {
  boost::system::error_code wrong;
  auto parsed = boost::json::parse(answer.body, wrong);
  if (wrong || !parsed.is_object())
    return fail(Code::unavailable,
                fmt::format("{}: what answers there does not speak as Google's Cloud Storage does", what));
  return std::move(parsed).as_object();
}

std::string text_at(const boost::json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

class Gcs final : public Storage {
 public:
  Gcs(GcsOptions options, const Clock& clock) : options_(std::move(options)), web_(options_.web), clock_(clock) {}

  std::string where(const std::string& name) const override {
    return fmt::format("gs://{}/{}{}", options_.bucket.name, options_.bucket.prefix, name);
  }

  Result<std::vector<Stored>> list() override {
    std::vector<Stored> all;
    std::string next;
    do {
      Query query{{"prefix", options_.bucket.prefix}, {"delimiter", "/"}, {"fields", "nextPageToken,items(name,size)"}};
      if (!next.empty()) query.emplace_back("pageToken", next);
      TRY(const WebAnswer answer, send({.path = objects("/storage/v1"), .query = std::move(query)}));
      if (!answer.good()) return refused(answer, "list " + where(""));
      TRY(const boost::json::object result, object_of(answer, where("")));
      if (const auto* items = result.if_contains("items"); items != nullptr && items->is_array()) {
        for (const auto& item : items->get_array()) {
          if (!item.is_object()) continue;
          const std::string key = text_at(item.get_object(), "name");
          const std::string_view name = name_below(options_.bucket, key);
          TRY(const std::uint64_t bytes, parse_uint(text_at(item.get_object(), "size"), "size"));
          if (!name.empty()) all.push_back({.name = std::string(name), .bytes = bytes});
        }
      }
      next = text_at(result, "nextPageToken");
    } while (!next.empty());
    return all;
  }

  Result<std::string> get(const std::string& name, std::uint64_t offset, std::size_t size) override {
    const auto make = [&](std::string range) {
      return authorized({.path = object(name), .query = {{"alt", "media"}}, .headers = {{"range", std::move(range)}}});
    };
    TRY(WebAnswer answer, web_.get(make, offset, size));
    if (answer.status == 401 && forget_token()) {
      TRY(answer, web_.get(make, offset, size));
    }
    if (answer.status == 416) return std::string();
    if (!answer.good()) return refused(answer, where(name));
    return std::move(answer.body);
  }

  Result<> put(const std::string& name, const Path& from, const Progress& progress) override {
    return put_at_once_or(*this, name, from, progress, [&](std::uint64_t bytes) {
      auto done = put_in_pieces(name, from, bytes, progress);
      // The sum is of the whole file, and known at its end.
      if (!done && done.error().code == Code::corruption) done = put_in_pieces(name, from, bytes, progress);
      return done;
    });
  }

  Result<> put_text(const std::string& name, const std::string& text) override {
    const auto sum = to_base64(md5(text));
    const auto has_other_sum = [&](const WebAnswer& answer) { return answer.good() && !answer.body.contains(sum); };
    TRY(const WebAnswer answer, send({.method = "POST",
                                      .path = objects("/upload/storage/v1"),
                                      .query = {{"uploadType", "media"}, {"name", key_of(name)}},
                                      .headers = {{"content-type", "application/octet-stream"}},
                                      .body = text},
                                     has_other_sum));
    if (!answer.good()) return refused(answer, where(name));
    return must_have(name, answer, text.size(), sum);
  }

  Result<> remove(const std::string& name) override {
    TRY(const WebAnswer answer, send({.method = "DELETE", .path = object(name)}));
    if (!answer.good() && answer.status != 404) return refused(answer, "remove " + where(name));
    return {};
  }

  Result<> tidy() override { return {}; }  // the store does so itself

 private:
  std::string key_of(const std::string& name) const { return options_.bucket.prefix + name; }
  std::string objects(std::string_view api) const {
    return fmt::format("{}/b/{}/o", api, percent_encode(options_.bucket.name));
  }
  std::string object(const std::string& name) const {
    return fmt::format("{}/{}", objects("/storage/v1"), percent_encode(key_of(name)));
  }

  // A token for as long as it holds.
  Result<std::string> token() {
    if (!token_.empty() && clock_.wall() < token_until_) return token_;
    const auto make = [&]() -> Result<WebRequest> {
      TRY(const std::string claim, signed_claim(options_.account, clock_.wall()));
      asked_ = query_text({{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", claim}});
      return WebRequest{.method = "POST",
                        .url = options_.account.token_uri,
                        .headers = {{"content-type", "application/x-www-form-urlencoded"}},
                        .body = asked_};
    };
    TRY(const WebAnswer answer, web_.send(make));
    if (!answer.good()) {
      return fail(Code::permission_denied,
                  refused(answer, fmt::format("a token for {}", options_.account.email)).error().message);
    }
    TRY(const boost::json::object result, object_of(answer, options_.account.token_uri));
    const auto* seconds = result.if_contains("expires_in");
    const std::int64_t holds = seconds != nullptr && seconds->is_int64() ? seconds->get_int64() : 0;
    token_until_ = clock_.wall() + std::chrono::seconds(holds) - kEarly;
    token_ = text_at(result, "access_token");
    return token_;
  }

  // One that was revoked, or that a clock which was set holds to be good; false: there was none.
  bool forget_token() { return !std::exchange(token_, {}).empty(); }

  Result<WebRequest> authorized(const Call& call) {
    TRY(const std::string bearer, token());
    const std::string query = query_text(call.query);
    WebRequest request{
        .method = call.method,
        .url = fmt::format("{}{}{}{}", options_.endpoint.url(), call.path, query.empty() ? "" : "?", query),
        .headers = call.headers,
        .body = call.body};
    request.headers.emplace_back("authorization", "Bearer " + bearer);
    return request;
  }

  Result<WebAnswer> send(const Call& call, const Web::Again& again = {}) {
    const auto make = [&] { return authorized(call); };
    TRY(WebAnswer answer, web_.send(make, again));
    if (answer.status == 401 && forget_token()) {
      TRY(answer, web_.send(make, again));
    }
    return answer;
  }

  Result<> put_in_pieces(const std::string& name, const Path& from, std::uint64_t bytes, const Progress& progress) {
    TRY(const WebAnswer begun, send({.method = "POST",
                                     .path = objects("/upload/storage/v1"),
                                     .query = {{"uploadType", "resumable"}, {"name", key_of(name)}},
                                     .headers = {{"x-upload-content-length", std::to_string(bytes)}}}));
    if (!begun.good()) return refused(begun, where(name));
    const std::string upload(begun.header("location"));  // whoever has it may write there
    Md5 sum;
    WebAnswer last;
    TRYV(in_parts(from, part_size(bytes, bytes), [&](std::uint64_t offset, std::string_view piece) -> Result<> {
      sum.add(piece);
      TRY(last, put_piece(name, upload, offset, piece, bytes));
      if (progress) progress(offset + piece.size(), bytes);
      return {};
    }));
    return must_have(name, last, bytes, to_base64(sum.finish()));
  }

  // Goes on from where the store says that it is.
  Result<WebAnswer> put_piece(const std::string& name, const std::string& upload, std::uint64_t offset,
                              std::string_view piece, std::uint64_t bytes) {
    std::uint64_t has = offset;
    const std::uint64_t end = offset + piece.size();
    bool first = true;
    while (true) {
      const auto make = [&]() -> Result<WebRequest> {
        const bool asks = !std::exchange(first, false);
        if (asks) {
          return WebRequest{
              .method = "PUT", .url = upload, .headers = {{"content-range", fmt::format("bytes */{}", bytes)}}};
        }
        return WebRequest{.method = "PUT",
                          .url = upload,
                          .headers = {{"content-range", fmt::format("bytes {}-{}/{}", has, end - 1, bytes)}},
                          .body = piece.substr(has - offset)};
      };
      TRY(WebAnswer answer, web_.send(make));
      if (answer.good()) return answer;
      if (answer.status != 308) return refused(answer, where(name));
      const std::string_view range = answer.header("range");  // "bytes=0-8388607"; none: nothing came
      std::uint64_t next = 0;
      if (!range.empty()) {
        TRY(const std::uint64_t got, parse_uint(range.substr(range.rfind('-') + 1), "Range"));
        next = got + 1;
      }
      if (next == end) return answer;
      if (next < offset || next > end) {
        return fail(Code::unavailable,
                    fmt::format("{}: the store lost what it had of the upload: try again", where(name)));
      }
      has = next;
      first = true;
    }
  }

  Result<> must_have(const std::string& name, const WebAnswer& answer, std::uint64_t bytes, std::string_view sum) {
    TRY(const boost::json::object made, object_of(answer, where(name)));
    if (text_at(made, "size") == std::to_string(bytes) && text_at(made, "md5Hash") == sum) return {};
    TRYV(remove(name));
    return fail(Code::corruption, fmt::format("{}: the store has other bytes than were sent: try again", where(name)));
  }

  const GcsOptions options_;
  Web web_;
  const Clock& clock_;
  std::string token_, asked_;
  Wall token_until_{};
};

}  // namespace

std::shared_ptr<Storage> gcs(GcsOptions options, const Clock& clock) {
  return std::make_shared<Gcs>(std::move(options), clock);
}

}  // namespace cc::backup
