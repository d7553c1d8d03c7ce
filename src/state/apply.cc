#include "state/apply.h"

#include <fmt/format.h>

#include "state/applying.h"

namespace cc::state {
namespace {

std::string text_of(const log::Key& key) {
  return key_of(key).to_string();
}

std::string subject_of(const log::PublishConfigs& what) {
  std::string keys;
  for (const auto& one : what.configs()) {
    if (!keys.empty()) keys += '\n';
    keys += text_of(one.key());
  }
  return keys;
}

// What a request is about: the same when it is repeated, although the proposing node stamps new hashes and ids.
std::string subject_of(const log::Command& command) {
  switch (command.what_case()) {
    case log::Command::kPutEnvironment:
      return command.put_environment().name();
    case log::Command::kDeleteEnvironment:
      return command.delete_environment().name();
    case log::Command::kPutApplication:
      return command.put_application().name();
    case log::Command::kDeleteApplication:
      return command.delete_application().name();
    case log::Command::kPutCluster:
      return fmt::format("{}/{}/{}", command.put_cluster().environment(), command.put_cluster().application(),
                         command.put_cluster().name());
    case log::Command::kDeleteCluster:
      return fmt::format("{}/{}/{}", command.delete_cluster().environment(), command.delete_cluster().application(),
                         command.delete_cluster().name());
    case log::Command::kSaveDraft:
      return text_of(command.save_draft().key());
    case log::Command::kDiscardDraft:
      return text_of(command.discard_draft().key());
    case log::Command::kPublishConfigs:
      return subject_of(command.publish_configs());
    case log::Command::kDeleteConfig:
      return text_of(command.delete_config().key());
    case log::Command::kRollBackConfig:
      return text_of(command.roll_back_config().key());
    case log::Command::kPutUser:
      return command.put_user().name();
    case log::Command::kDeleteUser:
      return command.delete_user().name();
    case log::Command::kSetPassword:
      return command.set_password().name();
    case log::Command::kChangeGrant:
      return fmt::format("{}/{}/{}", command.change_grant().user(), command.change_grant().role(),
                         command.change_grant().revoke());
    case log::Command::kCreateAccessKey:
      return command.create_access_key().application();
    case log::Command::kRevokeAccessKey:
      return command.revoke_access_key().id();
    case log::Command::kRevokeToken:
      return command.revoke_token().token_id();
    case log::Command::kInitializeCluster:
    case log::Command::kRecordAudit:
    case log::Command::WHAT_NOT_SET:
      return "";
  }
  return "";
}

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
  const std::string subject = fmt::format("{} {}", static_cast<int>(command.what_case()), subject_of(command));
  at.about("request", subject_of(command));

  auto earlier = tip.answered.find(database, options, command, subject);
  if (earlier && *earlier) {
    log::Outcome& outcome = **earlier;
    outcome.set_repeated_request(true);
    return outcome.SerializeAsString();
  }
  const bool id_used_before = !earlier;
  Result<> done = id_used_before ? Result<>(fail(std::move(earlier).error())) : dispatch(at);
  if (!done) {
    at.audit_refusal(done.error());
    refuse(at, std::move(done).error());
  }
  at.outcome.set_revision(tip.position.revision);
  if (!id_used_before) tip.answered.remember(database, options, command, subject, at.outcome);
  return at.outcome.SerializeAsString();
}

}  // namespace cc::state
