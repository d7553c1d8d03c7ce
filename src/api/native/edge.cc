#include "service/edge.h"

#include <functional>

#include "api/native/call.h"
#include "api/native/projection_json.h"
#include "api/native/routes.h"

namespace cc::api::native {
namespace {

Task<Result<http::Response>> edge(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {}));
  CO_TRY(const ProjectionStatus status, service::edge_status(context, call));
  co_return json_response(200, projection_json(status));
}

}  // namespace

void add_edge_routes(http::Router& router, service::Context& context) {
  router.add(http::Method::get, "/v1/edge", authenticated(context, std::bind_front(edge, std::ref(context))));
}

}  // namespace cc::api::native
