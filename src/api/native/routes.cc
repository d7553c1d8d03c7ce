#include "api/native/routes.h"

namespace cc::api::native {

void add_all_routes(http::Router& router, service::Context& context) {
  add_config_routes(router, context);
  add_draft_routes(router, context);
  add_release_routes(router, context);
  add_watch_routes(router, context);
  add_transfer_routes(router, context);
  add_login_routes(router, context);
  add_user_routes(router, context);
  add_key_routes(router, context);
  add_application_routes(router, context);
  add_audit_routes(router, context);
  add_archive_routes(router, context);
  add_edge_routes(router, context);
  add_node_routes(router, context);
}

}  // namespace cc::api::native
