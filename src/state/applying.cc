#include "state/applying.h"

namespace cc::state {

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
  db.run("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", ++tip.last_audit, milliseconds(record.time),
         record.actor, record.address, record.request_id, record.action, record.target, record.outcome, record.message,
         record.before, record.after, record.revision);
  if (tip.last_audit > options.keep_audit_records)
    db.run("DELETE FROM audit WHERE id <= ?", tip.last_audit - options.keep_audit_records);
}

ConfigKey key_of(const log::Key& key) {
  return {key.environment(), key.application(), key.cluster(), key.name()};
}

}  // namespace cc::state
