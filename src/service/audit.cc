#include "service/audit.h"

#include "base/text.h"
#include "service/on_worker.h"

namespace cc::service {

Task<Result<state::Page<AuditRecord>>> audit_records(Context& context, const Call& call, state::AuditFilter filter,
                                                     state::PageRequest page) {
  // What stands before each '/' is complete: "prod/shop" may be the beginning of "prod/shop2".
  const auto parts = split(filter.target_prefix, '/');
  const std::string_view environment = parts.size() > 1 ? parts[0] : std::string_view();
  const std::string_view application = parts.size() > 2 ? parts[1] : std::string_view();
  CO_TRYV(
      authorise(context, call, Permission::read_audit, "audit.read", filter.target_prefix, environment, application));
  co_return co_await ask(context, call, Work::search,
                         [&](const state::Queries& queries) { return queries.audit(filter, page); });
}

}  // namespace cc::service
