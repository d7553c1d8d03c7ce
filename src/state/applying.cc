#include "state/applying.h"

namespace cc::state {
namespace {

// Removes the oldest rows until there are `at_most`, or those that are left may not be forgotten yet. `sql` removes so
// many of them, up to an id.
template <std::size_t N>
void forget_oldest(Database& db, Numbers& numbers, std::uint64_t at_most, std::uint64_t until, const char (&sql)[N]) {
  if (numbers.count() <= at_most) return;
  numbers.first += static_cast<std::uint64_t>(db.run(sql, numbers.count() - at_most, until));
}

}  // namespace

Applying::Applying(Database& database, Tip& so_far, const Options& given, const log::Command& what)
    : db(database), tip(so_far), options(given), command(what) {}

Revision Applying::revision() {
  if (revision_ == 0) {
    revision_ = ++tip.position.revision;
    tip.changes.revision = revision_;
  }
  return revision_;
}

void Applying::about(std::string_view action, std::string target) {
  action_ = action;
  target_ = std::move(target);
}

AuditRecord Applying::record() const {
  return {.time = now(),
          .actor = command.actor(),
          .address = command.address(),
          .request_id = command.request_id(),
          .action = action_,
          .target = target_,
          .outcome = "done"};
}

void Applying::audit_change(const std::string& before, const std::string& after) {
  audit_change(action_, target_, before, after);
}

void Applying::audit_change(const std::string& action, const std::string& target, const std::string& before,
                            const std::string& after) {
  AuditRecord change = record();
  change.action = action;
  change.target = target;
  change.before = before;
  change.after = after;
  change.revision = revision();
  write_audit(change);
}

void Applying::audit_unchanged() {
  write_audit(record());
}

void Applying::audit_refusal(const Error& error) {
  AuditRecord refusal = record();
  refusal.outcome = to_string(error.code);
  refusal.message = error.message;
  write_audit(refusal);
}

void Applying::write_audit(const AuditRecord& record) {
  const std::uint64_t id = ++tip.last_audit;
  if (record.revision != 0) {
    db.run("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", id, milliseconds(record.time),
           record.actor, record.address, record.request_id, record.action, record.target, record.outcome,
           record.message, record.before, record.after, record.revision, ++tip.changes_audited.last);
    forget_oldest(db, tip.changes_audited, options.keep_audited_changes, tip.archived.forgettable_audit(),
                  "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id <= ?2 ORDER BY id LIMIT ?1)");
  } else {
    db.run("INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", id, ++tip.attempts_audited.last,
           milliseconds(record.time), record.actor, record.address, record.request_id, record.action, record.target,
           record.outcome, record.message, record.count);
    forget_oldest(db, tip.attempts_audited, options.keep_audited_attempts, tip.archived.forgettable_audit(),
                  "DELETE FROM attempt WHERE id IN (SELECT id FROM attempt WHERE id <= ?2 ORDER BY id LIMIT ?1)");
  }
}

ConfigKey key_of(const log::Key& key) {
  return {key.environment(), key.application(), key.cluster(), key.name()};
}

}  // namespace cc::state
