// The routes of the native protocol (/v1), one function per subject; each registers handlers that parse, call the
// service, and answer. `context` outlives the router; both belong to one I/O thread. openapi.json describes exactly
// these.
#pragma once

#include "http/router.h"
#include "service/context.h"

namespace cc::api::native {

void add_config_routes(http::Router& router, service::Context& context);    // configs.cc      /v1/configs
void add_draft_routes(http::Router& router, service::Context& context);     // drafts.cc       /v1/drafts
void add_release_routes(http::Router& router, service::Context& context);   // releases.cc     /v1/releases
void add_watch_routes(http::Router& router, service::Context& context);     // watch.cc        /v1/watch
void add_transfer_routes(http::Router& router, service::Context& context);  // transfer.cc     /v1/import, /v1/export
void add_login_routes(http::Router& router, service::Context& context);     // login.cc        /v1/login, logout, whoami
void add_user_routes(http::Router& router, service::Context& context);      // users.cc        /v1/users, /v1/roles
void add_key_routes(http::Router& router, service::Context& context);       // keys.cc         /v1/keys
void add_application_routes(http::Router& router,
                            service::Context& context);  // applications.cc environments, applications, clusters
void add_audit_routes(http::Router& router, service::Context& context);    // audit.cc        /v1/audit
void add_archive_routes(http::Router& router, service::Context& context);  // archive.cc      /v1/archive
void add_edge_routes(http::Router& router, service::Context& context);     // edge.cc         /v1/edge
void add_node_routes(http::Router& router, service::Context& context);     // node.cc         cluster, health, openapi

void add_all_routes(http::Router& router, service::Context& context);  // routes.cc: all of the above

}  // namespace cc::api::native
