#include "deploy/fields.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::deploy {
namespace {

int line_of(const YAML::Node& node) {
  return node.Mark().line + 1;
}

}  // namespace

void Mistakes::add(int line, std::string message) {
  found_.emplace(line, std::move(message));
}

void Mistakes::add_at(std::string_view place, std::string message) {
  told_.emplace(place);
  for (std::string_view at = place;; at = at.substr(0, at.rfind('.'))) {
    if (const auto known = lines_.find(at); known != lines_.end()) return add(known->second, std::move(message));
    if (!at.contains('.')) break;
  }
  add(1, std::move(message));
}

Result<> Mistakes::verdict() const {
  if (found_.empty()) return {};
  std::string text;
  for (const auto& [line, message] : found_)
    text += fmt::format("{}{} line {}: {}", text.empty() ? "" : "\n", file_, line, message);
  return fail(Code::invalid_argument, std::move(text));
}

Fields::Fields(Mistakes& mistakes, const YAML::Node& mapping, std::string place)
    : mistakes_(mistakes), mapping_(mapping), place_(std::move(place)) {}

Fields::~Fields() {
  for (const auto& each : mapping_) {
    const std::string name = each.first.IsScalar() ? each.first.Scalar() : std::string("?");
    if (asked_.contains(name)) continue;
    const std::vector<std::string_view> known(asked_.begin(), asked_.end());
    const std::string_view near = nearest(name, known);
    mistakes_.add(line_of(each.first),
                  near.empty()
                      ? fmt::format("there is no \"{}\" here: known are {}", place_of(name), fmt::join(known, ", "))
                      : fmt::format("there is no \"{}\"; did you mean \"{}\"?", place_of(name), near));
  }
}

std::string Fields::place_of(std::string_view name) const {
  return place_.empty() ? std::string(name) : fmt::format("{}.{}", place_, name);
}

YAML::Node Fields::member(std::string_view name) {
  asked_.emplace(name);
  for (const auto& each : mapping_) {
    if (!each.first.IsScalar() || each.first.Scalar() != name || each.second.IsNull()) continue;
    mistakes_.note(place_of(name), line_of(each.first));
    return each.second;
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

std::string Fields::yaml(std::string_view name) {
  const YAML::Node node = member(name);
  return node.IsDefined() ? YAML::Dump(node) : "";
}

bool Fields::has(std::string_view name) const {
  return std::ranges::any_of(mapping_, [&](const auto& each) {
    return each.first.IsScalar() && each.first.Scalar() == name && !each.second.IsNull();
  });
}

void Fields::wrong(std::string_view name, std::string_view message) {
  mistakes_.add_at(place_of(name), fmt::format("{}: {}", place_of(name), message));
}

void Fields::require(std::string_view name, std::string_view example) {
  if (has(name)) return;
  asked_.emplace(name);
  mistakes_.add_at(place_of(name), fmt::format("{} is missing: give it, such as {}", place_of(name), example));
}

bool Fields::scalar(std::string_view name, std::string& text) {
  const YAML::Node node = member(name);
  if (!node.IsDefined()) return false;
  if (!node.IsScalar()) {
    wrong(name, "must be one plain value");
    return false;
  }
  text = node.Scalar();
  return true;
}

void Fields::read(std::string_view name, std::string& into) {
  scalar(name, into);
}

void Fields::read(std::string_view name, bool& into) {
  std::string text;
  if (!scalar(name, text)) return;
  if (text == "true" || text == "false") {
    into = text == "true";
  } else {
    wrong(name, fmt::format("\"{}\" is neither true nor false", text));
  }
}

void Fields::read(std::string_view name, std::uint16_t& port) {
  std::string text;
  if (!scalar(name, text)) return;
  const auto number = parse_uint(text, "port");
  if (number && *number >= 1 && *number <= 65535) {
    port = static_cast<std::uint16_t>(*number);
  } else {
    wrong(name, fmt::format("\"{}\" is no port: give a number from 1 to 65535", text));
  }
}

void Fields::read(std::string_view name, std::uint64_t& into) {
  std::string text;
  if (!scalar(name, text)) return;
  const auto number = parse_uint(text, name);
  number ? void(into = *number) : wrong(name, fmt::format("\"{}\" is no whole number", text));
}

void Fields::read(std::string_view name, double& into) {
  std::string text;
  if (!scalar(name, text)) return;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = error == std::errc() && end == text.data() + text.size() && number >= 0;
  good ? void(into = number) : wrong(name, fmt::format("\"{}\" is no number that is 0 or more", text));
}

void Fields::read(std::string_view name, std::chrono::milliseconds& into) {
  std::string text;
  if (!scalar(name, text)) return;
  const auto duration = parse_duration(text);
  duration ? void(into = *duration) : wrong(name, duration.error().message);
}

void Fields::read(std::string_view name, std::vector<std::string>& into) {
  const YAML::Node node = member(name);
  if (!node.IsDefined()) return;
  into.clear();
  if (node.IsScalar()) {
    into.push_back(node.Scalar());
  } else if (node.IsSequence()) {
    for (const YAML::Node& each : node)
      each.IsScalar() ? into.push_back(each.Scalar()) : wrong(name, "the members of the list must be plain values");
  } else {
    wrong(name, "must be a list, such as [a, b]");
  }
}

void Fields::read(std::string_view name, std::map<std::string, std::string>& into) {
  const YAML::Node node = member(name);
  if (!node.IsDefined()) return;
  node.IsMap() ? flatten(node, "", into) : wrong(name, "must be a mapping of names to values");
}

void Fields::flatten(const YAML::Node& mapping, const std::string& above, std::map<std::string, std::string>& into) {
  for (const auto& each : mapping) {
    const std::string name = above.empty() ? each.first.Scalar() : above + "." + each.first.Scalar();
    if (each.second.IsMap()) {
      flatten(each.second, name, into);
    } else if (each.second.IsScalar()) {
      if (!into.emplace(name, each.second.Scalar()).second)
        mistakes_.add(line_of(each.first), name + " is given twice");
    } else {
      mistakes_.add(line_of(each.first), fmt::format("{} must be one plain value", name));
    }
  }
}

bool Fields::section(std::string_view name, const std::function<void(Fields&)>& read_it) {
  const YAML::Node node = member(name);
  if (!node.IsDefined()) return false;
  if (!node.IsMap()) {
    wrong(name, "is a section: its members stand below it");
    return false;
  }
  Fields fields(mistakes_, node, place_of(name));
  read_it(fields);
  return true;
}

void Fields::each(std::string_view name, const std::function<void(const std::string& key, Fields&)>& read_one) {
  const YAML::Node node = member(name);
  if (!node.IsDefined()) return;
  if (!node.IsMap()) return wrong(name, "must be a mapping of names");
  for (const auto& one : node) {
    const std::string key = one.first.IsScalar() ? one.first.Scalar() : "";
    const std::string place = fmt::format("{}.{}", place_of(name), key);
    mistakes_.note(place, line_of(one.first));
    if (!one.second.IsMap() && !one.second.IsNull()) {
      mistakes_.add(line_of(one.first), fmt::format("{}: its members stand below it, or in braces", place));
      continue;
    }
    Fields fields(mistakes_, one.second.IsMap() ? one.second : YAML::Node(YAML::NodeType::Map), place);
    read_one(key, fields);
  }
}

void Fields::list(std::string_view name, const std::function<void(Fields&)>& read_one) {
  const YAML::Node node = member(name);
  if (!node.IsDefined()) return;
  if (!node.IsSequence()) return wrong(name, "must be a list");
  for (std::size_t i = 0; i < node.size(); ++i) {
    const std::string place = fmt::format("{}.{}", place_of(name), i + 1);
    mistakes_.note(place, line_of(node[i]));
    if (!node[i].IsMap()) {
      mistakes_.add(line_of(node[i]), fmt::format("{} must have members, such as {{name: …}}", place));
      continue;
    }
    Fields fields(mistakes_, node[i], place);
    read_one(fields);
  }
}

}  // namespace cc::deploy
