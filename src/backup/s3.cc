#include "backup/s3.h"

#include <algorithm>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "backup/parts.h"
#include "base/bytes.h"
#include "base/text.h"

namespace cc::backup {
namespace {

constexpr std::uint64_t kMostParts = 10'000;
constexpr std::chrono::hours kLongAgo{24};
constexpr std::size_t kMd5Hex = 32;

using Query = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::string method = "GET";
  std::string key = {};  // of an object; empty: the bucket itself
  Query query = {};
  Headers headers = {};
  std::string_view body = {};
};

// The ETag, where it is the MD5 of what was put: it is not when the store seals objects with a key of its own.
std::string_view reported_md5(const WebAnswer& answer) {
  std::string_view tag = answer.header("etag");
  if (tag.starts_with('"') && tag.ends_with('"') && tag.size() >= 2) tag = tag.substr(1, tag.size() - 2);
  const bool sealed = answer.header("x-amz-server-side-encryption").starts_with("aws:") ||
                      !answer.header("x-amz-server-side-encryption-customer-algorithm").empty();
  const std::string_view sum = tag.substr(0, tag.find('-'));
  const bool is_md5 = sum.size() == kMd5Hex && sum.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return sealed || !is_md5 ? std::string_view() : tag;
}

bool has_other_sum(const WebAnswer& answer, std::string_view expected) {
  const std::string_view reported = reported_md5(answer);
  return answer.good() && !reported.empty() && reported != expected;
}

// Completing an upload may take long, and its answer begins before it is known how that ends.
bool failed_in_body(const WebAnswer& answer) {
  return answer.good() && answer.body.contains("<Error>");
}

bool arrived_otherwise(const WebAnswer& answer) {
  return answer.status == 400 &&
         (answer.body.contains("BadDigest") || answer.body.contains("XAmzContentSHA256Mismatch") ||
          answer.body.contains("RequestTimeout"));
}

class S3 final : public Storage {
 public:
  S3(S3Options options, const Clock& clock) : options_(std::move(options)), web_(options_.web), clock_(clock) {
    authority_ =
        options_.virtual_host ? options_.bucket.name + "." + options_.endpoint.authority : options_.endpoint.authority;
  }

  std::string where(const std::string& name) const override {
    return fmt::format("{}://{}/{}{}", options_.scheme, options_.bucket.name, options_.bucket.prefix, name);
  }

  Result<std::vector<Stored>> list() override {
    std::vector<Stored> all;
    std::string next;
    do {
      Query query{{"list-type", "2"}, {"prefix", options_.bucket.prefix}, {"delimiter", "/"}};
      if (!next.empty()) query.emplace_back("continuation-token", next);
      TRY(const WebAnswer answer, send({.query = std::move(query)}));
      if (!answer.good()) return failed(answer, "list " + where(""));
      pugi::xml_document document;
      TRY(const pugi::xml_node result, root_of(document, answer, "ListBucketResult"));
      for (const pugi::xml_node object : result.children("Contents")) {
        const std::string_view name = name_below(options_.bucket, object.child_value("Key"));
        TRY(const std::uint64_t bytes, parse_uint(object.child_value("Size"), "Size"));
        if (!name.empty()) all.push_back({.name = std::string(name), .bytes = bytes});
      }
      next = result.child("IsTruncated").text().as_bool() ? result.child_value("NextContinuationToken") : "";
    } while (!next.empty());
    return all;
  }

  Result<std::string> get(const std::string& name, std::uint64_t offset, std::size_t size) override {
    const auto make = [&](std::string range) {
      return signed_request({.key = key_of(name), .headers = {{"range", std::move(range)}}});
    };
    TRY(WebAnswer answer, web_.get(make, offset, size));
    if (answer.status == 416) return std::string();
    if (!answer.good()) return failed(answer, where(name));
    return std::move(answer.body);
  }

  Result<> put(const std::string& name, const Path& from, const Progress& progress) override {
    return put_at_once_or(*this, name, from, progress,
                          [&](std::uint64_t bytes) { return put_in_parts(name, from, bytes, progress); });
  }

  Result<> put_text(const std::string& name, const std::string& text) override {
    TRY(const WebAnswer answer, send_body({.method = "PUT", .key = key_of(name), .body = text}));
    if (!answer.good()) return failed(answer, where(name));
    if (!has_other_sum(answer, md5_hex(text))) return {};
    TRYV(remove(name));
    return other_sum(name);
  }

  Result<> remove(const std::string& name) override {
    TRY(const WebAnswer answer, send({.method = "DELETE", .key = key_of(name)}));
    if (!answer.good() && answer.status != 404) return failed(answer, "remove " + where(name));
    return {};
  }

  Result<> tidy() override {
    TRY(const WebAnswer answer, send({.query = {{"uploads", ""}, {"prefix", options_.bucket.prefix}}}));
    if (answer.status == 501) return {};
    if (!answer.good()) return failed(answer, "list uploads of " + where(""));
    pugi::xml_document document;
    TRY(const pugi::xml_node result, root_of(document, answer, "ListMultipartUploadsResult"));
    for (const pugi::xml_node upload : result.children("Upload")) {
      const std::string key = upload.child_value("Key");
      const auto begun = parse_time(upload.child_value("Initiated"));
      if (name_below(options_.bucket, key).empty() || !begun || *begun + kLongAgo > clock_.wall()) continue;
      TRYV(abort(key, upload.child_value("UploadId")));
    }
    return {};
  }

 private:
  std::string key_of(const std::string& name) const { return options_.bucket.prefix + name; }

  Result<WebRequest> signed_request(const Call& call) const {
    const Wall now = clock_.wall();
    ToSign to_sign{.method = call.method,
                   .path = options_.virtual_host ? "/" : fmt::format("/{}/", percent_encode(options_.bucket.name)),
                   .query = call.query,
                   .headers = call.headers,
                   .payload_sha256 = sha256_hex(call.body)};
    if (call.key.empty() && !options_.virtual_host) to_sign.path.pop_back();
    to_sign.path += percent_encode(call.key, true);
    to_sign.headers.insert(
        to_sign.headers.end(),
        {{"host", authority_}, {"x-amz-content-sha256", to_sign.payload_sha256}, {"x-amz-date", amazon_time(now)}});
    if (!options_.key.token.empty()) to_sign.headers.emplace_back("x-amz-security-token", options_.key.token);
    const std::string query = query_text(call.query);
    WebRequest request{.method = call.method,
                       .url = fmt::format("{}://{}{}{}{}", options_.endpoint.scheme, authority_, to_sign.path,
                                          query.empty() ? "" : "?", query),
                       .headers = to_sign.headers,
                       .body = call.body};
    request.headers.emplace_back("authorization", authorization(options_.key, to_sign, now));
    return request;
  }

  Result<WebAnswer> send(const Call& call, const Web::Again& again = {}) {
    return web_.send([&] { return signed_request(call); }, again);
  }
  // With its MD5, which the store refuses to differ from, and reports.
  Result<WebAnswer> send_body(Call call) {
    const std::string sum = md5(call.body), hex = to_hex(sum);
    call.headers.emplace_back("content-md5", to_base64(sum));
    return send(call, [&](const WebAnswer& answer) { return has_other_sum(answer, hex) || arrived_otherwise(answer); });
  }

  Result<> put_in_parts(const std::string& name, const Path& from, std::uint64_t bytes, const Progress& progress) {
    const std::string key = key_of(name);
    TRY(const WebAnswer begun, send({.method = "POST", .key = key, .query = {{"uploads", ""}}}));
    if (!begun.good()) return failed(begun, where(name));
    pugi::xml_document document;
    TRY(const pugi::xml_node result, root_of(document, begun, "InitiateMultipartUploadResult"));
    const std::string upload = result.child_value("UploadId");
    auto done = put_parts(name, upload, from, bytes, progress);
    if (!done) {
      // What is left of it costs money until it is removed; tidy() does that later.
      if (const auto aborted = abort(key, upload); !aborted)
        done.error().message += "; what was put of it stays for a day: " + aborted.error().message;
    }
    return done;
  }

  Result<> put_parts(const std::string& name, const std::string& upload, const Path& from, std::uint64_t bytes,
                     const Progress& progress) {
    std::string parts, sums;
    std::uint64_t count = 0;
    TRYV(in_parts(from, part_size(bytes, kMostParts), [&](std::uint64_t offset, std::string_view part) -> Result<> {
      TRY(const WebAnswer answer, send_body({.method = "PUT",
                                             .key = key_of(name),
                                             .query = {{"partNumber", std::to_string(++count)}, {"uploadId", upload}},
                                             .body = part}));
      if (!answer.good()) return failed(answer, where(name));
      const std::string sum = md5(part);
      if (has_other_sum(answer, to_hex(sum))) return other_sum(name);
      sums += sum;
      parts += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", count, answer.header("etag"));
      if (progress) progress(offset + part.size(), bytes);
      return {};
    }));
    const std::string list = fmt::format(
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}</CompleteMultipartUpload>",
        parts);
    TRY(const WebAnswer completed,
        send({.method = "POST", .key = key_of(name), .query = {{"uploadId", upload}}, .body = list}, failed_in_body));
    // When the answer to the first try was lost, there is no such upload any more.
    if (!completed.good() && completed.status != 404) return failed(completed, where(name));
    if (failed_in_body(completed)) return failed(completed, where(name));
    return must_be_there(name, bytes, fmt::format("{}-{}", md5_hex(sums), count));
  }

  Result<> must_be_there(const std::string& name, std::uint64_t bytes, std::string_view sum) {
    TRY(const WebAnswer answer, send({.method = "HEAD", .key = key_of(name)}));
    if (!answer.good()) return failed(answer, where(name));
    if (answer.header("content-length") == std::to_string(bytes) && !has_other_sum(answer, sum)) return {};
    TRYV(remove(name));
    return other_sum(name);
  }

  Result<> abort(const std::string& key, const std::string& upload) {
    TRY(const WebAnswer answer, send({.method = "DELETE", .key = key, .query = {{"uploadId", upload}}}));
    if (!answer.good() && answer.status != 404) return failed(answer, "remove an upload of " + where(""));
    return {};
  }

  Result<pugi::xml_node> root_of(pugi::xml_document& document, const WebAnswer& answer, const char* name) const {
    if (document.load_buffer(answer.body.data(), answer.body.size())) {
      if (const pugi::xml_node root = document.child(name)) return root;
    }
    return fail(Code::unavailable,
                fmt::format("{}: what answers there does not speak as S3 does", options_.endpoint.url()));
  }

  std::unexpected<Error> failed(const WebAnswer& answer, std::string_view what) const {
    auto error = refused(answer, what);
    const std::string_view region = answer.header("x-amz-bucket-region");
    if (!region.empty() && region != options_.key.region)
      error.error().message +=
          fmt::format("; the bucket is in another region: set backup.storage.region to {}", region);
    return error;
  }
  std::unexpected<Error> other_sum(const std::string& name) const {
    return fail(Code::corruption,
                fmt::format("{}: the store has other bytes than were sent, again and again", where(name)));
  }

  const S3Options options_;
  Web web_;
  const Clock& clock_;
  std::string authority_;
};

}  // namespace

std::shared_ptr<Storage> s3(S3Options options, const Clock& clock) {
  return std::make_shared<S3>(std::move(options), clock);
}

}  // namespace cc::backup
