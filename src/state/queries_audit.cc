// Audit records, newest first.
#include <limits>

#include "state/page.h"
#include "state/queries_impl.h"

namespace cc::state {
namespace {

constexpr char kByRecord = 'u';

AuditRecord read_record(const Rows& rows) {
  return {.id = rows.number(0),
          .time = rows.time(1),
          .actor = rows.text(2),
          .address = rows.text(3),
          .request_id = rows.text(4),
          .action = rows.text(5),
          .target = rows.text(6),
          .outcome = rows.text(7),
          .message = rows.text(8),
          .before = rows.text(9),
          .after = rows.text(10),
          .revision = rows.number(11),
          .count = rows.number(12)};
}

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

Result<Page<AuditRecord>> Queries::audit(const AuditFilter& filter, const PageRequest& page) const {
  TRY(const std::uint64_t before, begin_numbered_page(page, kByRecord, std::numeric_limits<std::int64_t>::max()));
  return ask([&](Database& db) -> Result<Page<AuditRecord>> {
    Page<AuditRecord> found;
    // Both tables are read in step, newest first. Asked for the filter, SQLite would first look for the newest that
    // matches in each of them, through all of a table that holds none.
    Rows rows = db.ask(
        "SELECT id, time, actor, address, request_id, action, target, outcome, message, before, after, revision, 1 "
        "FROM audit WHERE id < ?1 UNION ALL "
        "SELECT id, time, actor, address, request_id, action, target, outcome, message, '', '', 0, count "
        "FROM attempt WHERE id < ?1 ORDER BY id DESC",
        before);
    const auto name = [](const AuditRecord& record) { return std::to_string(record.id); };
    while (rows.next()) {
      if (matches(filter, rows) && !take(found, page.limit, kByRecord, read_record(rows), name)) break;
    }
    return found;
  });
}

}  // namespace cc::state
