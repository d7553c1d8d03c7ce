#include "cli/projection_output.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/table.h"
#include "cli/yaml.h"

namespace cc::cli {

std::string projection_text(const boost::json::value& status) {
  const auto of = [&](std::string_view name) { return member_text(status, name); };
  const double lag = status.at("lag_seconds").to_number<double>();
  std::string out =
      fmt::format("revision  {}{}\n", of("revision"),
                  of("lag_revisions") == "0" ? ", which is all there is"
                                             : fmt::format(", {} behind, {:.1f} s", of("lag_revisions"), lag));
  out +=
      fmt::format("written   {}\n", of("writing") == "true" ? "by this node, which leads" : "by the node that leads");
  if (!of("trouble").empty()) out += fmt::format("trouble   {}\n", of("trouble"));
  out += fmt::format("so far    {} batches, {} errors, {} connects; {} times found older than it was\n", of("batches"),
                     of("errors"), of("connects"), of("went_back"));
  Table endpoints({"SERVER", "ROLE", "REVISION", "TROUBLE"});
  for (const boost::json::value& each : status.at("endpoints").as_array()) {
    const std::string role = member_text(each, "role");
    const std::string revision = member_text(each, "revision");
    endpoints.add({member_text(each, "address"), role.empty() ? "-" : role, revision == "0" ? "-" : revision,
                   member_text(each, "trouble")});
  }
  return out + "\n" + endpoints.to_text();
}

}  // namespace cc::cli
