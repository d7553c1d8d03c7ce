#include "api/native/projection_json.h"

#include <utility>

#include <boost/json.hpp>

namespace cc::api::native {

boost::json::object projection_json(const ProjectionStatus& status) {
  boost::json::array endpoints;
  for (const ProjectionStatus::Endpoint& endpoint : status.endpoints) {
    boost::json::object one{{"address", endpoint.address}, {"role", endpoint.role}, {"revision", endpoint.revision}};
    if (!endpoint.trouble.empty()) one["trouble"] = endpoint.trouble;
    endpoints.push_back(std::move(one));
  }
  boost::json::object out{{"revision", status.revision},
                          {"lag_revisions", status.lag_revisions},
                          {"lag_seconds", std::chrono::duration<double>(status.lag).count()},
                          {"writing", status.writing},
                          {"endpoints", std::move(endpoints)},
                          {"batches", status.batches},
                          {"errors", status.errors},
                          {"connects", status.connects},
                          {"went_back", status.went_back},
                          {"connections", {{"open", status.connections}, {"in_use", status.connections_in_use}}}};
  if (!status.trouble.empty()) out["trouble"] = status.trouble;
  return out;
}

}  // namespace cc::api::native
