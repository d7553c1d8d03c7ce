// Rows as JSON objects for audit records and details of errors: no contents, no secrets.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cc::state {

inline std::string json_text(const boost::json::object& object) {
  return boost::json::serialize(object);
}

}  // namespace cc::state
