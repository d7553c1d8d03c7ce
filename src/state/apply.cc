#include "state/apply.h"

#include "state/applying.h"
#include "state/request.h"

namespace cc::state {
namespace {

Result<> dispatch(Applying& at) {
  const log::Command& command = at.command;
  switch (command.what_case()) {
    case log::Command::kInitializeCluster:
      return apply(at, command.initialize_cluster());
    case log::Command::kPutEnvironment:
      return apply(at, command.put_environment());
    case log::Command::kDeleteEnvironment:
      return apply(at, command.delete_environment());
    case log::Command::kPutApplication:
      return apply(at, command.put_application());
    case log::Command::kDeleteApplication:
      return apply(at, command.delete_application());
    case log::Command::kPutCluster:
      return apply(at, command.put_cluster());
    case log::Command::kDeleteCluster:
      return apply(at, command.delete_cluster());
    case log::Command::kSaveDraft:
      return apply(at, command.save_draft());
    case log::Command::kDiscardDraft:
      return apply(at, command.discard_draft());
    case log::Command::kPublishConfigs:
      return apply(at, command.publish_configs());
    case log::Command::kDeleteConfig:
      return apply(at, command.delete_config());
    case log::Command::kRollBackConfig:
      return apply(at, command.roll_back_config());
    case log::Command::kPutUser:
      return apply(at, command.put_user());
    case log::Command::kDeleteUser:
      return apply(at, command.delete_user());
    case log::Command::kSetPassword:
      return apply(at, command.set_password());
    case log::Command::kChangeGrant:
      return apply(at, command.change_grant());
    case log::Command::kCreateAccessKey:
      return apply(at, command.create_access_key());
    case log::Command::kRevokeAccessKey:
      return apply(at, command.revoke_access_key());
    case log::Command::kRevokeToken:
      return apply(at, command.revoke_token());
    case log::Command::kRecordAudit:
      return apply(at, command.record_audit());
    case log::Command::kForgetHistory:
      return apply(at, command.forget_history());
    case log::Command::WHAT_NOT_SET:
      break;
  }
  return fail(Code::internal, "a command of no kind");
}

void refuse(Applying& at, Error error) {
  at.outcome.Clear();
  at.outcome.set_code(1 + static_cast<int>(error.code));
  at.outcome.set_message(std::move(error.message));
  at.outcome.set_details(std::move(error.details));
}

}  // namespace

Result<std::string> apply_command(Database& database, Tip& tip, const Options& options, std::string_view bytes) {
  log::Command command;
  if (!command.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(
        Code::corruption,
        "an entry of the log is not a command: it is damaged, or another program wrote it; this node cannot go on "
        "from here: restore its data folder from a backup");
  // Passing over it would make this node's state differ from that of the others.
  if (command.what_case() == log::Command::WHAT_NOT_SET) {
    return fail(Code::internal,
                "the log holds a command that this version does not know: install the version that "
                "the other nodes run");
  }

  Applying at(database, tip, options, command);
  const std::uint64_t fingerprint = fingerprint_of(command);
  auto earlier = tip.answered.find(database, options, command, fingerprint);
  if (earlier && *earlier) {
    log::Outcome& outcome = **earlier;
    outcome.set_repeated_request(true);
    return outcome.SerializeAsString();
  }
  const bool id_used_before = !earlier;
  if (id_used_before) at.about("request", target_of(command));
  Result<> done = id_used_before ? Result<>(fail(std::move(earlier).error())) : dispatch(at);
  if (!done) {
    at.audit_refusal(done.error());
    refuse(at, std::move(done).error());
  }
  at.outcome.set_revision(tip.position.revision);
  if (!id_used_before) tip.answered.remember(database, options, command, fingerprint, at.outcome);
  return at.outcome.SerializeAsString();
}

}  // namespace cc::state
