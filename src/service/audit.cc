#include "service/audit.h"

namespace cc::service {

Task<Result<Answer<state::Page<AuditRecord>>>> audit_records(Context& context, const Call& call,
                                                             state::AuditFilter filter, state::PageRequest page) {
  // What stands before each '/' is complete: "prod/shop" may be the beginning of "prod/shop2".
  const KeyParts place = parts_of(filter.target_prefix);
  CO_TRYV(authorise(context, call, Permission::read_audit, "audit.read", filter.target_prefix, place.environment,
                    place.application));
  co_return co_await ask_past(context, call, Work::search, [&](const Past& past) { return past.audit(filter, page); });
}

}  // namespace cc::service
