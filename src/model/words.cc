#include "model/words.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "base/utf8.h"
#include "model/quote.h"

namespace cc {
namespace {

constexpr std::size_t kLongestSegment = 255;  // what file systems take as a file's name

constexpr std::array<std::pair<Format, std::string_view>, 6> kFormats{{{Format::properties, "properties"},
                                                                       {Format::yaml, "yaml"},
                                                                       {Format::json, "json"},
                                                                       {Format::toml, "toml"},
                                                                       {Format::xml, "xml"},
                                                                       {Format::text, "text"}}};

bool is_blank(char32_t c) {
  return c == 0x20 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// Characters that nobody sees and that make two names look alike. The joiners U+200C and U+200D are not among them:
// Persian and many emoji need them.
bool is_invisible(char32_t c) {
  return c == 0x00AD || c == 0x200B || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c & 0xFFFE) == 0xFFFE;
}

}  // namespace

std::string_view to_string(Format format) noexcept {
  for (const auto& [known, name] : kFormats) {
    if (known == format) return name;
  }
  return "text";
}

Result<Format> parse_format(std::string_view text) {
  for (const auto& [format, name] : kFormats) {
    if (name == text) return format;
  }
  return fail(Code::invalid_argument,
              fmt::format("no format {}; there are: properties, yaml, json, toml, xml, text", quoted(text)));
}

Format format_of_name(std::string_view config_name) noexcept {
  const std::size_t dot = config_name.rfind('.');
  if (dot == std::string_view::npos) return Format::text;
  const std::string_view extension = config_name.substr(dot + 1);
  if (extension == "yml") return Format::yaml;
  if (extension == "text") return Format::text;
  for (const auto& [format, name] : kFormats) {
    if (name == extension) return format;
  }
  return Format::text;
}

std::string_view media_type(Format format) noexcept {
  switch (format) {
    case Format::properties:
      return "text/x-java-properties; charset=utf-8";
    case Format::yaml:
      return "application/yaml";
    case Format::json:
      return "application/json";
    case Format::toml:
      return "application/toml";
    case Format::xml:
      return "application/xml";
    case Format::text:
      break;
  }
  return "text/plain; charset=utf-8";
}

Result<> check_label(std::string_view text, std::string_view what) {
  if (const std::size_t at = find_invalid_utf8(text); at != std::string_view::npos) {
    return fail(Code::invalid_argument, fmt::format("{} {} is not valid UTF-8 at byte {}", what, quoted(text), at + 1));
  }
  for (std::size_t at = 0; at < text.size();) {
    const auto [c, bytes] = first_character(text.substr(at));
    if (is_control(c) || is_invisible(c)) {
      return fail(Code::invalid_argument,
                  fmt::format("{} {} holds the {} character U+{:04X} at byte {}; remove it", what, quoted(text),
                              is_control(c) ? "control" : "invisible", static_cast<std::uint32_t>(c), at + 1));
    }
    at += bytes;
  }
  return {};
}

Result<> check_name(std::string_view name, std::string_view what, std::size_t limit) {
  if (name.empty()) return fail(Code::invalid_argument, fmt::format("{} is empty; give it a name", what));
  if (name.size() > limit) {
    return fail(Code::invalid_argument,
                fmt::format("{} {} is {} bytes long; at most {} are allowed", what, quoted(name), name.size(), limit));
  }
  if (name == "." || name == "..") {
    return fail(Code::invalid_argument, fmt::format("{} may not be {}", what, quoted(name)));
  }
  TRYV(check_label(name, what));
  char32_t last = 0;
  for (std::size_t at = 0; at < name.size();) {
    const auto [c, bytes] = first_character(name.substr(at));
    if (c == '/') return fail(Code::invalid_argument, fmt::format("{} {} may not hold '/'", what, quoted(name)));
    if (at == 0 && is_blank(c)) {
      return fail(Code::invalid_argument, fmt::format("{} {} begins with a blank; remove it", what, quoted(name)));
    }
    last = c;
    at += bytes;
  }
  if (is_blank(last)) {
    return fail(Code::invalid_argument, fmt::format("{} {} ends with a blank; remove it", what, quoted(name)));
  }
  return {};
}

Result<> check_config_name(std::string_view name) {
  if (name.empty()) return fail(Code::invalid_argument, "config name is empty; give it one, such as application.yaml");
  if (const std::size_t limit = Limits{}.config_name; name.size() > limit) {
    return fail(Code::invalid_argument, fmt::format("config name {} is {} bytes long; at most {} are allowed",
                                                    quoted(name), name.size(), limit));
  }
  for (std::size_t from = 0; from <= name.size();) {
    const std::size_t to = std::min(name.find('/', from), name.size());
    const std::string_view segment = name.substr(from, to - from);
    from = to + 1;
    if (segment.empty()) {
      return fail(
          Code::invalid_argument,
          fmt::format("config name {} has an empty segment; write one '/' between segments and none at the ends",
                      quoted(name)));
    }
    TRYV(check_name(segment, "segment of the config name", kLongestSegment));
  }
  return {};
}

Result<> check(const ConfigKey& key) {
  TRYV(check_name(key.environment, "environment"));
  TRYV(check_name(key.application, "application"));
  TRYV(check_name(key.cluster, "cluster"));
  return check_config_name(key.name);
}

KeyParts parts_of(std::string_view key) noexcept {
  KeyParts parts;
  for (std::string_view* part : {&parts.environment, &parts.application, &parts.cluster}) {
    const std::size_t slash = key.find('/');
    if (slash == std::string_view::npos) break;
    *part = key.substr(0, slash);
    key.remove_prefix(slash + 1);
  }
  parts.name = key;
  return parts;
}

Result<ConfigKey> ConfigKey::parse(std::string_view text) {
  if (std::ranges::count(text, '/') < 3) {
    return fail(Code::invalid_argument,
                fmt::format("{} is not a config key; write environment/application/cluster/name, such as "
                            "prod/order-service/default/application.yaml",
                            quoted(text)));
  }
  ConfigKey key = of(parts_of(text));
  TRYV(check(key));
  return key;
}

ConfigKey ConfigKey::of(const KeyParts& parts) {
  return {.environment = std::string(parts.environment),
          .application = std::string(parts.application),
          .cluster = std::string(parts.cluster),
          .name = std::string(parts.name)};
}

std::string ConfigKey::to_string() const {
  std::string text;
  text.reserve(environment.size() + application.size() + cluster.size() + name.size() + 3);
  for (const std::string* part : {&environment, &application, &cluster})
    text.append(*part) += '/';
  text += name;
  return text;
}

}  // namespace cc
