#include "cli/grants_output.h"

#include <boost/json.hpp>

#include "cli/yaml.h"
#include "model/grants.h"

namespace cc::cli {

std::string grants_text(const boost::json::value& user) {
  const boost::json::value* grants = user.is_object() ? user.get_object().if_contains("grants") : nullptr;
  std::string out;
  if (grants == nullptr || !grants->is_array()) return out;
  for (const boost::json::value& each : grants->get_array()) {
    const Scope scope{member_text(each, "environment"), member_text(each, "application"),
                      member_text(each, "department")};
    if (!out.empty()) out += "; ";
    out += member_text(each, "role") + (scope == Scope{} ? " everywhere" : " in " + scope.to_string());
  }
  return out;
}

}  // namespace cc::cli
