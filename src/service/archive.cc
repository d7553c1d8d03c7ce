#include "service/archive.h"

#include "service/audit_trail.h"
#include "service/login.h"
#include "service/on_worker.h"

namespace cc::service {
namespace {

Result<> require_archive(const Context& context) {
  if (context.archive != nullptr) return {};
  return fail(Code::not_found,
              "this node has no archive: give it one with database.host, and the settings beside it (docs/archive.md)");
}

}  // namespace

Task<Result<ProjectionStatus>> archive_status(Context& context, const Call& call) {
  CO_TRYV(require_login(context, call, "archive.status"));
  CO_TRYV(require_archive(context));
  co_return context.archive->status(context.view.revision());
}

Task<Result<archive::Archive::Verified>> verify_archive(Context& context, const Call& call, state::FeedPosition after) {
  CO_TRYV(authorise(context, call, Permission::operate, "archive.verify", "archive"));
  CO_TRYV(require_archive(context));
  co_return co_await on_worker(context, call, Work::archived,
                               [&](const Deadline& until) { return context.archive->verify(after, until); });
}

Task<Result<Done>> rebuild_archive(Context& context, const Call& call) {
  CO_TRYV(authorise(context, call, Permission::operate, "archive.rebuild", "archive"));
  CO_TRYV(require_archive(context));
  CO_TRYV(co_await on_worker(context, call, Work::archived,
                             [&](const Deadline& until) { return context.archive->rebuild(until); }));
  context.audit.record({.time = context.clock.wall(),
                        .actor = call.caller->name,
                        .address = call.address,
                        .request_id = call.request_id,
                        .action = "archive.rebuild",
                        .target = "archive",
                        .outcome = "done"});
  co_return Done{.revision = context.view.revision()};
}

}  // namespace cc::service
