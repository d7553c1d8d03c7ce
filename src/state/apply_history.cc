// Forgetting what is old, as the leader finds it (state/queries.h: forgettable).
#include <algorithm>

#include "state/applying.h"

namespace cc::state {

Result<> apply(Applying& at, const log::ForgetHistory& what) {
  // What the archive was said to have before: since then every node has known that, and asks it for this.
  const std::uint64_t releases_until = at.tip.archived.forgettable_release();
  const std::uint64_t audits_until = std::min(at.tip.archived.forgettable_audit(), what.audit_until());
  for (const std::uint64_t id : what.releases()) {
    if (id > releases_until) continue;
    at.db.run(
        "DELETE FROM release WHERE id = ?1 AND id NOT IN (SELECT release FROM config WHERE number = "
        "(SELECT config FROM release WHERE id = ?1))",
        id);
  }
  // The newest stay: they say where counting goes on.
  at.tip.changes_audited.first += static_cast<std::uint64_t>(
      at.db.run("DELETE FROM audit WHERE id <= ? AND id < (SELECT max(id) FROM audit)", audits_until));
  at.tip.attempts_audited.first += static_cast<std::uint64_t>(
      at.db.run("DELETE FROM attempt WHERE id <= ? AND id < (SELECT max(id) FROM attempt)", audits_until));

  at.tip.archived =
      Archived{.used = what.archive_used(), .release = what.archived_release(), .audit = what.archived_audit()};
  at.db.run("UPDATE archived SET used = ?, release = ?, audit = ?", at.tip.archived.used, at.tip.archived.release,
            at.tip.archived.audit);
  return {};
}

}  // namespace cc::state
