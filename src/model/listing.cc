#include "model/listing.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace cc {
namespace {

namespace json = boost::json;

constexpr std::string_view kConfigs = "configs";

std::unexpected<Error> no_listing(std::string_view reason) {
  return fail(Code::invalid_argument,
              fmt::format("{} is not what an export writes ({}): remove it, or export again", kListingFile, reason));
}

// "json", or {"format": "json", "secret": true}
Result<Listed> read_listed(const json::value& value) {
  const json::object* const object = value.if_object();
  const json::value* const format = object != nullptr ? object->if_contains("format") : &value;
  const json::value* const secret = object != nullptr ? object->if_contains("secret") : nullptr;
  if (format == nullptr || !format->is_string()) return fail(Code::invalid_argument, "a format must be a text");
  if (secret != nullptr && !secret->is_bool()) return fail(Code::invalid_argument, "\"secret\" must be true or false");
  Listed listed{.secret = secret != nullptr && secret->get_bool()};
  TRY(listed.format, parse_format(format->get_string()));
  return listed;
}

}  // namespace

bool is_hidden(std::string_view name) {
  return name.starts_with('.') || name.find("/.") != std::string_view::npos;
}

bool must_be_listed(std::string_view name, const Listed& config) {
  return is_hidden(name) || config.secret || config.format != format_of_name(name);
}

std::string write_listing(const Listing& listing) {
  std::string out = fmt::format("{{\n  \"{}\": {{", kConfigs);
  std::string_view between = "\n";
  for (const auto& [name, config] : listing) {
    out += fmt::format("{}    {}: ", between, json::serialize(json::string(name)));
    out += config.secret ? fmt::format(R"({{"format": "{}", "secret": true}})", to_string(config.format))
                         : fmt::format(R"("{}")", to_string(config.format));
    between = ",\n";
  }
  return out + "\n  }\n}\n";
}

Result<Listing> read_listing(std::string_view text) {
  boost::system::error_code error;
  const json::value root = json::parse(text, error);
  if (error) return no_listing(error.message());
  const json::object* const object = root.if_object();
  const json::value* const member = object != nullptr ? object->if_contains(kConfigs) : nullptr;
  const json::object* const configs = member != nullptr ? member->if_object() : nullptr;
  if (configs == nullptr) return no_listing(fmt::format("it has no \"{}\"", kConfigs));
  Listing listing;
  for (const auto& [name, value] : *configs) {
    auto listed = read_listed(value);
    if (!listed) return no_listing(listed.error().message);
    listing.emplace(name, *listed);
  }
  return listing;
}

Result<Listing> take_listing(std::vector<ZipEntry>& tree) {
  const auto at = std::ranges::find(tree, kListingFile, &ZipEntry::name);
  if (at == tree.end()) return Listing{};
  const std::string text = std::move(at->content);
  tree.erase(at);
  return read_listing(text);
}

}  // namespace cc
