#include "cli/yaml.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/table.h"

namespace cc::cli {
namespace {

namespace json = boost::json;

// Words that YAML 1.1 or 1.2 readers take for something else than text.
constexpr std::array<std::string_view, 12> kReserved = {"null", "true", "false", "yes",  "no",   "on",
                                                        "off",  "y",    "n",     ".inf", ".nan", "~"};

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::ranges::find(kReserved, lower) != kReserved.end()) return false;
  const auto first = static_cast<unsigned char>(text.front());
  // What starts with a digit or a sign may be read as a number, a date or a base-60 number.
  if (!(std::isalpha(first) != 0 || first == '/' || first == '_' || first >= 0x80)) return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
  return visible(text) == text;
}

std::string scalar(const json::value& value) {
  if (value.is_string()) {
    const std::string_view text = value.get_string();
    return is_plain(text) ? std::string(text) : json::serialize(value);
  }
  if (value.is_object()) return "{}";
  if (value.is_array()) return "[]";
  // As people write it: 1.5, not 1.5E0.
  return value.is_double() ? fmt::format("{}", value.get_double()) : json::serialize(value);
}

bool is_nested(const json::value& value) {
  return (value.is_object() && !value.get_object().empty()) || (value.is_array() && !value.get_array().empty());
}

void write_yaml(const json::value& value, std::size_t indent, bool after_dash, std::string& out) {
  if (!is_nested(value)) {
    out += scalar(value) + "\n";
    return;
  }
  bool first = after_dash;
  const auto margin = [&] {
    if (!first) out.append(indent, ' ');
    first = false;
  };
  if (value.is_array()) {
    for (const json::value& each : value.get_array()) {
      margin();
      out += "- ";
      write_yaml(each, indent + 2, true, out);
    }
    return;
  }
  for (const auto& [name, each] : value.get_object()) {
    margin();
    out += scalar(json::value(name)) + ":";
    if (is_nested(each)) {
      out += "\n";
      write_yaml(each, indent + 2, false, out);
    } else {
      out += " " + scalar(each) + "\n";
    }
  }
}

void write_json(const json::value& value, std::size_t indent, std::string& out) {
  if (!is_nested(value)) {
    out += value.is_string() ? json::serialize(value) : scalar(value);
    return;
  }
  const bool object = value.is_object();
  out += object ? "{" : "[";
  bool first = true;
  const auto next = [&] {
    out += first ? "\n" : ",\n";
    out.append(indent + 2, ' ');
    first = false;
  };
  if (object) {
    for (const auto& [name, each] : value.get_object()) {
      next();
      out += json::serialize(name) + ": ";
      write_json(each, indent + 2, out);
    }
  } else {
    for (const json::value& each : value.get_array()) {
      next();
      write_json(each, indent + 2, out);
    }
  }
  out += "\n" + std::string(indent, ' ') + (object ? "}" : "]");
}

}  // namespace

std::string to_yaml(const json::value& value) {
  std::string out;
  write_yaml(value, 0, false, out);
  return visible_json(out);  // only in quotation marks is there anything to escape
}

std::string to_pretty_json(const json::value& value) {
  std::string out;
  write_json(value, 0, out);
  return visible_json(out) + "\n";
}

std::string member_text(const json::value& object, std::string_view name) {
  const json::value* member = object.is_object() ? object.get_object().if_contains(name) : nullptr;
  if (member == nullptr || member->is_null()) return "";
  return member->is_string() ? std::string(member->get_string()) : json::serialize(*member);
}

}  // namespace cc::cli
