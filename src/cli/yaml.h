// JSON values as YAML or as indented JSON, for -o yaml and -o json.
#pragma once

#include <string>

#include <boost/json/value.hpp>

namespace cc::cli {

std::string to_yaml(const boost::json::value& value);         // ends with a newline
std::string to_pretty_json(const boost::json::value& value);  // two blanks, ends with a newline

// The member as text: strings as they are, numbers and booleans as JSON, null or absent "".
std::string member_text(const boost::json::value& object, std::string_view name);

}  // namespace cc::cli
