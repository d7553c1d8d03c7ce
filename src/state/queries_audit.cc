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
          .revision = rows.number(11)};
}

}  // namespace

Result<Page<AuditRecord>> Queries::audit(const AuditFilter& filter, const PageRequest& page) const {
  using Number = std::numeric_limits<std::int64_t>;
  TRY(const std::uint64_t before, begin_numbered_page(page, kByRecord, Number::max()));
  const std::int64_t from = filter.from ? milliseconds(*filter.from) : Number::min();
  const std::int64_t to = filter.to ? milliseconds(*filter.to) : Number::max();
  return ask([&](Database& db) -> Result<Page<AuditRecord>> {
    Page<AuditRecord> found;
    Rows rows = db.ask(
        "SELECT id, time, actor, address, request_id, action, target, outcome, message, before, after, revision "
        "FROM audit WHERE id < ?1 AND time >= ?2 AND time < ?3 AND (?4 = '' OR actor = ?4) AND (?5 = '' OR action = "
        "?5) "
        "AND (?6 = '' OR outcome = ?6) AND substr(target, 1, length(?7)) = ?7 ORDER BY id DESC",
        before, from, to, filter.actor, filter.action, filter.outcome, filter.target_prefix);
    const auto name = [](const AuditRecord& record) { return std::to_string(record.id); };
    while (rows.next() && take(found, page.limit, kByRecord, read_record(rows), name)) {
    }
    return found;
  });
}

}  // namespace cc::state
