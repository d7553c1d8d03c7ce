#include "model/formats_file.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace cc {
namespace {

namespace json = boost::json;

constexpr std::string_view kConfigs = "configs";

std::unexpected<Error> no_formats(std::string_view reason) {
  return fail(Code::invalid_argument,
              fmt::format("{} is not what an export writes ({}): remove it, or export again", kFormatsFile, reason));
}

}  // namespace

bool is_hidden(std::string_view name) {
  return name.starts_with('.') || name.find("/.") != std::string_view::npos;
}

bool must_be_listed(std::string_view name, Format format) {
  return is_hidden(name) || format != format_of_name(name);
}

std::string write_formats(const Formats& formats) {
  std::string out = fmt::format("{{\n  \"{}\": {{", kConfigs);
  std::string_view between = "\n";
  for (const auto& [name, format] : formats) {
    out += fmt::format("{}    {}: \"{}\"", between, json::serialize(json::string(name)), to_string(format));
    between = ",\n";
  }
  return out + "\n  }\n}\n";
}

Result<Formats> read_formats(std::string_view text) {
  boost::system::error_code error;
  const json::value root = json::parse(text, error);
  if (error) return no_formats(error.message());
  const json::object* const object = root.if_object();
  const json::value* const member = object != nullptr ? object->if_contains(kConfigs) : nullptr;
  const json::object* const configs = member != nullptr ? member->if_object() : nullptr;
  if (configs == nullptr) return no_formats(fmt::format("it has no \"{}\"", kConfigs));
  Formats formats;
  for (const auto& [name, value] : *configs) {
    const json::string* const given = value.if_string();
    if (given == nullptr) return no_formats("a format must be a text");
    auto format = parse_format(*given);
    if (!format) return no_formats(format.error().message);
    formats.emplace(name, *format);
  }
  return formats;
}

Result<Formats> take_formats(std::vector<ZipEntry>& tree) {
  const auto at = std::ranges::find(tree, kFormatsFile, &ZipEntry::name);
  if (at == tree.end()) return Formats{};
  const std::string text = std::move(at->content);
  tree.erase(at);
  return read_formats(text);
}

}  // namespace cc
