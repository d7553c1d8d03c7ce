#include "http/compress.h"

#include <algorithm>

#include <zlib.h>
#include <zstd.h>

#include "base/text.h"
#include "http/fields.h"

namespace cc::http {
namespace {

constexpr std::size_t kSmallest = 1024;
constexpr std::size_t kLargest = 1u << 20;          // more would hold the I/O thread up for too long
constexpr std::size_t kMostRemembered = 16u << 20;  // bytes
constexpr std::size_t kMostEntries = 10'000;
constexpr int kGzipLevel = 1;
constexpr int kZstdLevel = 1;

// "0.5" → 500; 1000 for what is no weight.
short weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto end = std::min(parameters.find(';'), parameters.size());
    const std::string_view one = trim_blanks(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (one.size() < 3 || lower(one[0]) != 'q' || one[1] != '=') continue;
    const std::string_view number = one.substr(2);
    if (number[0] != '0') return 1000;
    short weight = 0;
    short unit = 100;
    for (std::size_t i = 2; i < number.size() && i < 5 && number[i] >= '0' && number[i] <= '9'; ++i) {
      weight = static_cast<short>(weight + (number[i] - '0') * unit);
      unit = static_cast<short>(unit / 10);
    }
    return weight;
  }
  return 1000;
}

bool compresses(std::string_view type) {
  type = trim_blanks(type.substr(0, type.find(';')));
  if (type == "text/event-stream") return false;
  return type.starts_with("text/") || type.starts_with("application/json") || type.ends_with("+json") ||
         type.ends_with("+xml") || type == "application/xml" || type == "application/yaml" ||
         type == "application/x-yaml" || type == "application/toml" || type == "application/javascript" ||
         type == "application/x-ndjson";
}

std::string gzip(std::string_view bytes) {
  constexpr int kGzipWindow = 15 + 16;
  z_stream stream{};
  if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return result == Z_STREAM_END ? out : std::string{};
}

std::string zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) return {};
  out.resize(size);
  return out;
}

}  // namespace

void Accepted::add(std::string_view field_value) {
  while (!field_value.empty()) {
    const std::string_view element = next_element(field_value);
    const auto semicolon = std::min(element.find(';'), element.size());
    const std::string_view name = trim_blanks(element.substr(0, semicolon));
    const short weight = weight_of(element.substr(std::min(semicolon + 1, element.size())));
    if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip")) gzip_ = weight;
    if (equal_ignoring_case(name, "zstd")) zstd_ = weight;
    if (equal_ignoring_case(name, "identity")) identity_ = weight;
    if (name == "*") any_ = weight;
  }
}

Coding Accepted::best() const {
  const short zstd = zstd_ >= 0 ? zstd_ : any_;
  const short gzip = gzip_ >= 0 ? gzip_ : any_;
  const short best = std::max(zstd, gzip);
  if (best <= 0 || identity_ > best) return Coding::identity;
  return zstd >= gzip ? Coding::zstd : Coding::gzip;
}

std::string encode(std::string_view bytes, Coding coding) {
  switch (coding) {
    case Coding::gzip:
      return gzip(bytes);
    case Coding::zstd:
      return zstd(bytes);
    case Coding::identity:
      return std::string(bytes);
  }
  return {};
}

void Encodings::apply(Response& response, Coding coding) {
  const std::string_view bytes = response.bytes();
  if (bytes.size() < kSmallest || bytes.size() > kLargest || response.stream()) return;
  if (!compresses(response.header("Content-Type")) || !response.header("Content-Encoding").empty() ||
      response.header("Cache-Control").contains("no-transform"))
    return;
  response.header("Vary", "Accept-Encoding");
  if (coding == Coding::identity) return;

  const Key key{bytes.data(), bytes.size(), coding};
  std::shared_ptr<const std::string> content;
  const auto known = response.keep() ? known_.find(key) : known_.end();
  if (known != known_.end() && known->second.of.lock() == response.keep()) {
    content = known->second.content;
  } else {
    std::string encoded = encode(bytes, coding);
    if (!encoded.empty() && encoded.size() < bytes.size()) {
      encoded.shrink_to_fit();
      content = std::make_shared<const std::string>(std::move(encoded));
    }
    if (response.keep()) remember(key, {response.keep(), content});
  }
  if (!content) return;
  const std::string_view view = *content;
  response.header("Content-Encoding", coding == Coding::gzip ? "gzip" : "zstd").shared_body(std::move(content), view);
}

void Encodings::remember(const Key& key, Encoded encoded) {
  const std::size_t more = encoded.content ? encoded.content->size() : 0;
  if (size_ + more > kMostRemembered || known_.size() >= kMostEntries) {
    known_.clear();
    size_ = 0;
  }
  Encoded& place = known_[key];
  if (place.content) size_ -= place.content->size();
  place = std::move(encoded);
  size_ += more;
}

}  // namespace cc::http
