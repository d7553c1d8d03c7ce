// One command while it is applied. The functions apply() validate everything before their first write, so that a
// refusal, returned as an Error, leaves nothing behind; failures of SQLite are thrown and end the transaction.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/words.h"
#include "proto/command.pb.h"
#include "state/database.h"
#include "state/tip.h"

namespace cc::state {

class Applying {
 public:
  Applying(Database& database, Tip& tip, const Options& options, const log::Command& what);

  Database& db;
  Tip& tip;
  const Options& options;
  const log::Command& command;
  log::Outcome outcome;

  Wall now() const { return wall(command.time_ms()); }
  // Of this command; the first call takes it.
  Revision revision();
  bool changed() const { return revision_ != 0; }

  // What the command does and to what: stands in its audit records, also in that of its refusal.
  void about(std::string_view action, std::string target);
  const std::string& target() const { return target_; }

  // Audit records. `before` and `after` are JSON objects without secrets and contents, or "".
  void audit_change(const std::string& before, const std::string& after);  // under about()
  void audit_change(const std::string& action, const std::string& target, const std::string& before,
                    const std::string& after);
  void audit_unchanged();  // done, but there was nothing to do
  void audit_refusal(const Error& error);
  void write_audit(const AuditRecord& record);  // its id is given here

 private:
  AuditRecord record() const;

  std::string action_, target_;
  Revision revision_ = 0;
};

// Handlers, one per command; in apply_*.cc.
Result<> apply(Applying& at, const log::InitializeCluster& what);
Result<> apply(Applying& at, const log::PutEnvironment& what);
Result<> apply(Applying& at, const log::DeleteEnvironment& what);
Result<> apply(Applying& at, const log::PutApplication& what);
Result<> apply(Applying& at, const log::DeleteApplication& what);
Result<> apply(Applying& at, const log::PutCluster& what);
Result<> apply(Applying& at, const log::DeleteCluster& what);
Result<> apply(Applying& at, const log::SaveDraft& what);
Result<> apply(Applying& at, const log::DiscardDraft& what);
Result<> apply(Applying& at, const log::PublishConfigs& what);
Result<> apply(Applying& at, const log::DeleteConfig& what);
Result<> apply(Applying& at, const log::RollBackConfig& what);
Result<> apply(Applying& at, const log::PutUser& what);
Result<> apply(Applying& at, const log::DeleteUser& what);
Result<> apply(Applying& at, const log::SetPassword& what);
Result<> apply(Applying& at, const log::ChangeGrant& what);
Result<> apply(Applying& at, const log::CreateAccessKey& what);
Result<> apply(Applying& at, const log::RevokeAccessKey& what);
Result<> apply(Applying& at, const log::RevokeToken& what);
Result<> apply(Applying& at, const log::RecordAudit& what);
Result<> apply(Applying& at, const log::ForgetHistory& what);

ConfigKey key_of(const log::Key& key);

// not_found, naming the environments that there are.
Result<> require_environment(Applying& at, const std::string& name);
// Makes the application and the cluster of a key when there are none. requires: the environment exists.
void make_place(Applying& at, const std::string& environment, const std::string& application,
                const std::string& cluster);

}  // namespace cc::state
