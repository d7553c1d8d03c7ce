// What nodes need not keep any more.
#include "state/queries_impl.h"
#include "state/tip.h"

namespace cc::state {

Result<Queries::Forgettable> Queries::forgettable(std::uint64_t versions, Wall audit_from, std::size_t at_most) const {
  return ask_unsettled([&](Database& db) -> Result<Forgettable> {
    Forgettable found{.releases = {}, .archived = read_archived(db)};
    {
      // CROSS: config by config, of which few have so many releases. Left to itself SQLite walks through all releases.
      Rows rows = db.ask(
          "SELECT r.id FROM config c CROSS JOIN release r ON r.config = c.number AND r.version <= c.version - ?1 "
          "WHERE c.version > ?1 AND r.id <> c.release AND r.id <= ?2 LIMIT ?3",
          versions, found.archived.forgettable_release(), at_most);
      while (rows.next())
        found.releases.push_back(rows.number(0));
    }
    Rows rows = db.ask(
        "SELECT id, time FROM audit WHERE id <= ?1 UNION ALL SELECT id, time FROM attempt WHERE id <= ?1 ORDER BY id "
        "LIMIT ?2",
        found.archived.forgettable_audit(), at_most);
    while (rows.next() && rows.time(1) < audit_from)
      found.audit_until = rows.number(0);
    return found;
  });
}

}  // namespace cc::state
