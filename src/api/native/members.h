// Members of a JSON body.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/result.h"

namespace cc::api::native {

namespace json = boost::json;

// invalid_argument, naming the member, when it is there and of another type.
Result<std::optional<std::string>> optional_string(const json::object& object, std::string_view member);
Result<std::optional<bool>> optional_bool(const json::object& object, std::string_view member);
Result<std::vector<std::string>> optional_strings(const json::object& object, std::string_view member);

// "" when it is absent.
Result<std::string> string_in(const json::object& object, std::string_view member);
// invalid_argument also when it is absent.
Result<std::string> required_string(const json::object& object, std::string_view member);

}  // namespace cc::api::native
