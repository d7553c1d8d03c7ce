#include "backup/azure.h"

#include <map>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pugixml.hpp>

#include "backup/azure_key.h"
#include "backup/parts.h"
#include "backup/sigv4.h"
#include "base/bytes.h"
#include "base/text.h"

namespace cc::backup {
namespace {

constexpr const char* kVersion = "2021-06-08";
constexpr std::uint64_t kMostBlocks = 50'000;

using Query = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::string method = "GET";
  std::string blob = {};  // empty: the container itself
  Query query = {};
  Headers headers = {};
  std::string_view body = {};
};

bool has_other_sum(const WebAnswer& answer, std::string_view expected) {
  const std::string_view reported = answer.header("content-md5");
  return answer.good() && !reported.empty() && reported != expected;
}

class Azure final : public Storage {
 public:
  Azure(AzureOptions options, const Clock& clock) : options_(std::move(options)), web_(options_.web), clock_(clock) {}

  std::string where(const std::string& name) const override {
    return fmt::format("azure://{}/{}/{}{}", options_.account.name, options_.container.name, options_.container.prefix,
                       name);
  }

  Result<std::vector<Stored>> list() override {
    std::vector<Stored> all;
    std::string next;
    do {
      Query query{
          {"restype", "container"}, {"comp", "list"}, {"prefix", options_.container.prefix}, {"delimiter", "/"}};
      if (!next.empty()) query.emplace_back("marker", next);
      TRY(const WebAnswer answer, send({.query = std::move(query)}));
      if (!answer.good()) return refused(answer, "list " + where(""));
      pugi::xml_document document;
      const bool read = document.load_buffer(answer.body.data(), answer.body.size());
      const pugi::xml_node result = document.child("EnumerationResults");
      if (!read || !result) {
        return fail(Code::unavailable, fmt::format("{}: what answers there does not speak as Azure's Blob Storage does",
                                                   options_.account.endpoint.url()));
      }
      for (const pugi::xml_node blob : result.child("Blobs").children("Blob")) {
        const std::string_view name = name_below(options_.container, blob.child_value("Name"));
        TRY(const std::uint64_t bytes,
            parse_uint(blob.child("Properties").child_value("Content-Length"), "Content-Length"));
        if (!name.empty()) all.push_back({.name = std::string(name), .bytes = bytes});
      }
      next = result.child_value("NextMarker");
    } while (!next.empty());
    return all;
  }

  Result<std::string> get(const std::string& name, std::uint64_t offset, std::size_t size) override {
    const auto make = [&](std::string range) {
      return authorized({.blob = key_of(name), .headers = {{"x-ms-range", std::move(range)}}});
    };
    TRY(WebAnswer answer, web_.get(make, offset, size));
    if (answer.status == 416) return std::string();
    if (!answer.good()) return refused(answer, where(name));
    return std::move(answer.body);
  }

  Result<> put(const std::string& name, const Path& from, const Progress& progress) override {
    return put_at_once_or(*this, name, from, progress,
                          [&](std::uint64_t bytes) { return put_in_blocks(name, from, bytes, progress); });
  }

  Result<> put_text(const std::string& name, const std::string& text) override {
    return put_body(name, {.method = "PUT",
                           .blob = key_of(name),
                           .headers = {{"x-ms-blob-type", "BlockBlob"}, {"content-type", "application/octet-stream"}},
                           .body = text});
  }

  Result<> remove(const std::string& name) override {
    TRY(const WebAnswer answer, send({.method = "DELETE", .blob = key_of(name)}));
    if (!answer.good() && answer.status != 404) return refused(answer, "remove " + where(name));
    return {};
  }

  Result<> tidy() override { return {}; }  // the store does so itself

 private:
  std::string key_of(const std::string& name) const { return options_.container.prefix + name; }

  Result<WebRequest> authorized(const Call& call) const {
    const AzureAccount& account = options_.account;
    AzureRequest request{
        .method = call.method,
        .path = fmt::format("{}/{}{}{}", account.endpoint.path, percent_encode(options_.container.name),
                            call.blob.empty() ? "" : "/", percent_encode(call.blob, true)),
        .query = call.query,
        .headers = call.headers,
        .body_bytes = call.body.size()};
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.wall());
    request.headers.emplace_back("x-ms-date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", now));
    request.headers.emplace_back("x-ms-version", kVersion);
    std::string query = query_text(call.query);
    if (account.key.empty()) {
      query += (query.empty() ? "" : "&") + account.sas;
    } else {
      request.headers.emplace_back("authorization", azure_authorization(request, account.name, account.key));
    }
    return WebRequest{.method = call.method,
                      .url = fmt::format("{}://{}{}{}{}", account.endpoint.scheme, account.endpoint.authority,
                                         request.path, query.empty() ? "" : "?", query),
                      .headers = std::move(request.headers),
                      .body = call.body};
  }

  Result<WebAnswer> send(const Call& call, const Web::Again& again = {}) {
    return web_.send([&] { return authorized(call); }, again);
  }

  // With its MD5, which the store refuses to differ from, and reports.
  Result<> put_body(const std::string& name, Call call) {
    const std::string sum = to_base64(md5(call.body));
    call.headers.emplace_back("content-md5", sum);
    TRY(const WebAnswer answer, send(call, [&](const WebAnswer& each) {
          return has_other_sum(each, sum) || (each.status == 400 && each.body.contains("Md5Mismatch"));
        }));
    if (!answer.good()) return refused(answer, where(name));
    if (!has_other_sum(answer, sum)) return {};
    TRYV(remove(name));
    return other_bytes(name);
  }

  Result<> put_in_blocks(const std::string& name, const Path& from, std::uint64_t bytes, const Progress& progress) {
    std::string list;
    // Of this put alone: whoever puts the same at the same time does not disturb it.
    const std::string id = to_hex(random_bytes(8));
    std::uint64_t count = 0;
    TRYV(in_parts(from, part_size(bytes, kMostBlocks), [&](std::uint64_t offset, std::string_view part) -> Result<> {
      const std::string block = to_base64(fmt::format("{}-{:08}", id, count++));
      TRYV(put_body(
          name,
          {.method = "PUT", .blob = key_of(name), .query = {{"comp", "block"}, {"blockid", block}}, .body = part}));
      list += fmt::format("<Latest>{}</Latest>", block);
      if (progress) progress(offset + part.size(), bytes);
      return {};
    }));
    const std::string body = fmt::format("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{}</BlockList>", list);
    TRYV(put_body(name, {.method = "PUT", .blob = key_of(name), .query = {{"comp", "blocklist"}}, .body = body}));
    TRY(const WebAnswer there, send({.method = "HEAD", .blob = key_of(name)}));
    if (!there.good()) return refused(there, where(name));
    if (there.header("content-length") == std::to_string(bytes)) return {};
    TRYV(remove(name));
    return other_bytes(name);
  }

  std::unexpected<Error> other_bytes(const std::string& name) const {
    return fail(Code::corruption,
                fmt::format("{}: the store has other bytes than were sent, again and again", where(name)));
  }

  const AzureOptions options_;
  Web web_;
  const Clock& clock_;
};

}  // namespace

Result<AzureAccount> parse_connection_string(std::string_view text, std::string_view endpoint) {
  std::map<std::string, std::string, std::less<>> given;
  for (const std::string_view each : split(trim(text), ';')) {
    const std::size_t equals = each.find('=');
    if (equals != std::string_view::npos) given.emplace(trim(each.substr(0, equals)), trim(each.substr(equals + 1)));
  }
  AzureAccount out{.name = given["AccountName"], .sas = given["SharedAccessSignature"]};
  if (out.sas.starts_with('?')) out.sas.erase(0, 1);
  if (const auto key = from_base64(given["AccountKey"])) out.key = *key;
  if (out.key.empty() && out.sas.empty()) {
    return fail(
        Code::invalid_argument,
        "credentials are missing, or are no connection string with an AccountKey or a SharedAccessSignature: give "
        "them as backup.storage.credentials or credentials_file, or as AZURE_STORAGE_CONNECTION_STRING");
  }
  std::string at(endpoint);
  if (at.empty()) at = given["BlobEndpoint"];
  if (at.empty()) {
    const std::string &protocol = given["DefaultEndpointsProtocol"], &suffix = given["EndpointSuffix"];
    at = fmt::format("{}://{}.blob.{}", protocol.empty() ? "https" : protocol, out.name,
                     suffix.empty() ? "core.windows.net" : suffix);
  }
  TRY(out.endpoint, parse_endpoint(at));
  if (out.name.empty()) {  // a shared access signature's
    out.name = out.endpoint.path.empty() ? out.endpoint.authority.substr(0, out.endpoint.authority.find('.'))
                                         : out.endpoint.path.substr(1);
  }
  return out;
}

std::shared_ptr<Storage> azure(AzureOptions options, const Clock& clock) {
  return std::make_shared<Azure>(std::move(options), clock);
}

}  // namespace cc::backup
