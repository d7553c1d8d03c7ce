// Audit records, newest first.
#include <limits>

#include "state/page.h"
#include "state/queries_impl.h"
#include "state/read_audit.h"

namespace cc::state {
namespace {

bool agrees(const std::string& wanted, std::string_view given) {
  return wanted.empty() || wanted == given;
}

bool matches(const AuditFilter& filter, const Rows& rows) {
  const Wall time = rows.time(1);
  return (!filter.from || time >= *filter.from) && (!filter.to || time < *filter.to) &&
         agrees(filter.actor, rows.view(2)) && agrees(filter.action, rows.view(5)) &&
         agrees(filter.outcome, rows.view(7)) && rows.view(6).starts_with(filter.target_prefix);
}

}  // namespace

Result<Page<AuditRecord>> Queries::audit(const AuditFilter& filter, const PageRequest& page,
                                         std::uint64_t newer_than) const {
  TRY(const std::uint64_t before, begin_numbered_page(page, kByRecord, std::numeric_limits<std::int64_t>::max()));
  return ask([&](Database& db) -> Result<Page<AuditRecord>> {
    Page<AuditRecord> found;
    // Both tables are read in step, newest first. Asked for the filter, SQLite would first look for the newest that
    // matches in each of them, through all of a table that holds none.
    Rows rows =
        db.ask("SELECT " CC_AUDIT_COLUMNS " FROM audit WHERE id < ?1 AND id > ?2 UNION ALL SELECT " CC_ATTEMPT_COLUMNS
               " FROM attempt WHERE id < ?1 AND id > ?2 ORDER BY id DESC",
               before, newer_than);
    const auto name = [](const AuditRecord& record) { return std::to_string(record.id); };
    while (rows.next()) {
      if (matches(filter, rows) && !take(found, page.limit, kByRecord, read_audit(rows), name)) break;
    }
    return found;
  });
}

}  // namespace cc::state
