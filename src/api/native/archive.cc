#include "service/archive.h"

#include <functional>

#include "api/native/call.h"
#include "api/native/projection_json.h"
#include "api/native/routes.h"
#include "base/text.h"

namespace cc::api::native {
namespace {

Task<Result<http::Response>> status(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const ProjectionStatus found, co_await service::archive_status(context, call));
  co_return json_response(200, projection_json(found));
}

json::object position_json(const state::FeedPosition& position) {
  return {{"release", position.release}, {"audit", position.audit}};
}

// One part after the other, each asked for with where the one before it ended.
Task<Result<http::Response>> verify(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {"release", "audit"}));
  state::FeedPosition after;
  CO_TRY(after.release, parse_uint(request.query("release").value_or("0"), "release"));
  CO_TRY(after.audit, parse_uint(request.query("audit").value_or("0"), "audit"));
  CO_TRY(const auto found, co_await service::verify_archive(context, call, after));
  json::array differences;
  for (const std::string& difference : found.differences)
    differences.push_back(json::string(difference));
  co_return json_response(200,
                          json::object{{"until", position_json(found.until)},
                                       {"archive", position_json(found.archive)},
                                       {"compared", {{"releases", found.releases}, {"audit_records", found.audits}}},
                                       {"differences", std::move(differences)},
                                       {"all", found.all}});
}

Task<Result<http::Response>> rebuild(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRYV(object_of(request, {}));
  CO_TRYV(co_await service::rebuild_archive(context, call));
  co_return http::Response(202);
}

}  // namespace

void add_archive_routes(http::Router& router, service::Context& context) {
  const auto by = [&context](auto act) { return authenticated(context, std::bind_front(act, std::ref(context))); };
  router.add(http::Method::get, "/v1/archive", by(status));
  router.add(http::Method::get, "/v1/archive/verify", by(verify));
  router.add(http::Method::post, "/v1/archive/rebuild", by(rebuild));
}

}  // namespace cc::api::native
