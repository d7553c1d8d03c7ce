#include "backup/web.h"

#include <algorithm>
#include <optional>

#include <boost/json.hpp>
#include <curl/curl.h>
#include <fmt/format.h>
#include <pugixml.hpp>

#include "base/backoff.h"
#include "base/text.h"

namespace cc::backup {
namespace {

constexpr int kAttempts = 8;
constexpr std::chrono::seconds kLongestPause{30};
constexpr long kSlowest = 1000;  // bytes a second

using List = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

bool is_passing(long status) {
  return status == 408 || status == 429 || status >= 500;
}

// In what the server says of itself, when it says that in seconds.
std::chrono::seconds asked_for(const WebAnswer& answer) {
  const auto seconds = parse_uint(answer.header("retry-after"), "Retry-After");
  return seconds ? std::min(std::chrono::seconds(*seconds), kLongestPause) : std::chrono::seconds(0);
}

std::string without_query(std::string_view url) {
  return std::string(url.substr(0, url.find('?')));  // there may be a signature in it
}

// Of curl's: what is wrong with the certificate, the address or what was asked does not pass.
bool is_for_good(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_URL_MALFORMAT ||
         code == CURLE_UNSUPPORTED_PROTOCOL;
}

std::string said_in_xml(const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return {};
  const pugi::xml_node error = document.child("Error");
  const std::string code = error.child_value("Code");
  return code.empty() ? code : fmt::format("{}: {}", code, error.child_value("Message"));
}

std::string said_in_json(const std::string& body) {
  boost::system::error_code wrong;
  const auto parsed = boost::json::parse(body, wrong);
  if (wrong || !parsed.is_object()) return {};
  if (const auto* description = parsed.get_object().if_contains("error_description");
      description && description->is_string())
    return std::string(description->get_string());
  const auto* error = parsed.get_object().if_contains("error");
  if (error == nullptr || !error->is_object()) return {};
  const auto* message = error->get_object().if_contains("message");
  return message != nullptr && message->is_string() ? std::string(message->get_string()) : std::string();
}

}  // namespace

std::string_view WebAnswer::header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [&](const auto& each) { return equal_ignoring_case(each.first, name); });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

struct Web::Impl {
  explicit Impl(Options from) : options(std::move(from)) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready == CURLE_OK) curl.reset(curl_easy_init());
  }

  // What came so far is in `answer`, whatever the result.
  CURLcode attempt(const WebRequest& request, WebAnswer& answer);
  std::unexpected<Error> failed(CURLcode code, const std::string& url) const;
  bool stopped() const { return options.stop.stop_requested(); }

  static std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* answer) {
    static_cast<WebAnswer*>(answer)->body.append(bytes, size);
    return size;
  }
  static std::size_t take_header(char* bytes, std::size_t, std::size_t size, void* answer) {
    auto& headers = static_cast<WebAnswer*>(answer)->headers;
    const std::string_view line(bytes, size);
    if (line.starts_with("HTTP/")) headers.clear();  // of what came before, such as 100 Continue
    if (const std::size_t colon = line.find(':'); colon != std::string_view::npos)
      headers.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
    return size;
  }
  static int look(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const Impl*>(self)->stopped() ? 1 : 0;
  }

  const Options options;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{nullptr, &curl_easy_cleanup};
  std::array<char, CURL_ERROR_SIZE> reason{};
};

CURLcode Web::Impl::attempt(const WebRequest& request, WebAnswer& answer) {
  CURL* const c = curl.get();
  curl_easy_reset(c);  // the connection stays
  const auto patience = static_cast<long>(options.timeout.count());
  List headers(nullptr, &curl_slist_free_all);
  const auto add = [&](const std::string& line) { headers.reset(curl_slist_append(headers.release(), line.c_str())); };
  add("Expect:");
  if (std::ranges::none_of(request.headers,
                           [](const auto& each) { return equal_ignoring_case(each.first, "content-type"); }))
    add("Content-Type:");
  for (const auto& [name, value] : request.headers)
    add(fmt::format("{}: {}", name, value));
  curl_easy_setopt(c, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, patience);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, kSlowest);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, std::max(1L, patience / 1000));
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, reason.data());
  if (!options.ca_file.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, options.ca_file.c_str());
  if (request.method == "HEAD") {
    curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
  } else if (request.method == "PUT" || request.method == "POST") {
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, request.body.begin());
  }
  if (request.method != "HEAD") curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &Impl::take_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, &Impl::take_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &answer);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, &Impl::look);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, this);
  reason.front() = '\0';
  const CURLcode code = curl_easy_perform(c);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &answer.status);
  return code;
}

std::unexpected<Error> Web::Impl::failed(CURLcode code, const std::string& url) const {
  const std::string why = reason.front() != '\0' ? reason.data() : curl_easy_strerror(code);
  const Code kind = code == CURLE_PEER_FAILED_VERIFICATION ? Code::permission_denied
                    : is_for_good(code)                    ? Code::invalid_argument
                                                           : Code::unavailable;
  return fail(kind, fmt::format("{}: {}", without_query(url), why));
}

Web::Web(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Web::~Web() = default;
Web::Web(Web&&) noexcept = default;

Result<WebAnswer> Web::send(const Make& make, const Again& again) {
  if (!impl_->curl) return fail(Code::internal, "libcurl cannot be used on this machine");
  Backoff backoff;
  for (int attempt = 1;; ++attempt) {
    TRY(const WebRequest request, make());
    WebAnswer answer;
    const CURLcode code = impl_->attempt(request, answer);
    if (impl_->stopped()) return fail(Code::unavailable, "it was asked to stop");
    const bool passing = code != CURLE_OK || is_passing(answer.status) || (again && again(answer));
    if (!passing) return answer;
    if (code != CURLE_OK && (is_for_good(code) || attempt == kAttempts)) return impl_->failed(code, request.url);
    if (attempt == kAttempts) return answer;
    if (code == CURLE_OK) pause_for(asked_for(answer), impl_->options.stop);
    backoff.wait(impl_->options.stop);
  }
}

Result<WebAnswer> Web::get(const std::function<Result<WebRequest>(std::string range)>& make, std::uint64_t offset,
                           std::size_t size) {
  if (!impl_->curl) return fail(Code::internal, "libcurl cannot be used on this machine");
  Backoff backoff;
  std::optional<WebAnswer> out;
  for (int attempt = 1;; ++attempt) {
    const std::size_t got = out ? out->body.size() : 0;
    TRY(const WebRequest request, make(fmt::format("bytes={}-{}", offset + got, offset + size - 1)));
    WebAnswer answer;
    const CURLcode code = impl_->attempt(request, answer);
    if (impl_->stopped()) return fail(Code::unavailable, "it was asked to stop");
    if (answer.status == 206) {
      if (!answer.body.empty()) attempt = 0;  // it gets on
      if (!out) out = WebAnswer{.status = answer.status, .headers = answer.headers};
      out->body += answer.body;
      if (code == CURLE_OK || out->body.size() >= size) return *std::move(out);
    } else if (out && answer.status == 416) {
      return *std::move(out);  // it broke off behind the last byte
    } else if (code == CURLE_OK && !is_passing(answer.status)) {
      if (answer.status != 200) return answer;
      return fail(Code::unavailable, without_query(request.url) + ": the server does not give a part of a file");
    }
    if (code != CURLE_OK && (is_for_good(code) || attempt >= kAttempts)) return impl_->failed(code, request.url);
    if (attempt >= kAttempts) return answer;
    if (code == CURLE_OK) pause_for(asked_for(answer), impl_->options.stop);
    backoff.wait(impl_->options.stop);
  }
}

std::unexpected<Error> refused(const WebAnswer& answer, std::string_view what) {
  constexpr std::size_t kLongest = 300;
  std::string said = said_in_xml(answer.body);
  if (said.empty()) said = said_in_json(answer.body);
  said = said.substr(0, said.find('\n'));
  const Code code = answer.status == 404                           ? Code::not_found
                    : answer.status == 401 || answer.status == 403 ? Code::permission_denied
                                                                   : Code::unavailable;
  return fail(code, fmt::format("{}: the store answers {}{}{}", what, answer.status, said.empty() ? "" : ", ",
                                printable(said, kLongest)));
}

}  // namespace cc::backup
