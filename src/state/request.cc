#include "state/request.h"

#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/little_endian.h"
#include "state/applying.h"

namespace cc::state {
namespace {

std::string text_of(const log::Key& key) {
  return key_of(key).to_string();
}

std::string keys_of(const log::PublishConfigs& what) {
  std::string keys;
  for (const auto& one : what.configs()) {
    if (!keys.empty()) keys += '\n';
    keys += text_of(one.key());
  }
  return keys;
}

}  // namespace

std::string target_of(const log::Command& command) {
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
      return keys_of(command.publish_configs());
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
    case log::Command::kForgetHistory:
    case log::Command::kRecordAudit:
    case log::Command::WHAT_NOT_SET:
      return "";
  }
  return "";
}

namespace {

// Texts, numbers and what is absent, written so that no two lists of them read alike.
class Fields {
 public:
  Fields() { all_.reserve(512); }
  Fields& add(std::string_view text) {
    put(':', text.size());
    all_ += text;
    return *this;
  }
  Fields& add(std::uint64_t number) {
    put('=', number);
    return *this;
  }
  Fields& absent() {
    all_ += '-';
    return *this;
  }
  Fields& add_if(bool given, std::string_view text) { return given ? add(text) : absent(); }
  Fields& add(const log::Key& key) {
    return add(key.environment()).add(key.application()).add(key.cluster()).add(key.name());
  }
  Fields& add_if(bool given, const log::Expected& expected) {
    return given ? add(expected.revision()).add(std::uint64_t{expected.any()}) : absent();
  }

  std::uint64_t fingerprint() const { return hash64(all_); }

 private:
  void put(char kind, std::uint64_t number) {
    std::array<char, 1 + sizeof number> bytes{kind};
    put_little_endian(bytes.data() + 1, number);
    all_.append(bytes.data(), bytes.size());
  }

  std::string all_;
};

void add(Fields& to, const log::PublishConfigs::One& one) {
  to.add(one.key()).add_if(one.has_expected(), one.expected()).add_if(one.format_given(), one.format());
  if (one.from_draft()) {
    to.add("draft").add_if(one.has_expected_draft(), one.expected_draft());
  } else {
    to.add("content").add(one.sha256().empty() ? sha256_hex(one.content()) : one.sha256());
  }
  // No mark where it is not given: what was answered before there was one stays the same request.
  if (one.has_secret()) to.add("secret").add(std::uint64_t{one.secret()});
}

void add(Fields& to, const log::PublishConfigs& what) {
  to.add(what.comment()).add(what.action()).add(std::uint64_t{what.skip_unchanged()});
  for (const auto& one : what.configs())
    add(to, one);
}

void add(Fields& to, const log::CreateAccessKey& what) {
  to.add(what.application()).add(what.environment()).add(what.description());
  to.add(static_cast<std::uint64_t>(what.expires_ms()));
  for (const std::string& range : what.addresses())
    to.add(range);
}

}  // namespace

std::uint64_t fingerprint_of(const log::Command& command) {
  Fields fields;
  fields.add(static_cast<std::uint64_t>(command.what_case()));
  switch (command.what_case()) {
    case log::Command::kPutEnvironment: {
      const auto& what = command.put_environment();
      fields.add(what.name()).add_if(what.has_description(), what.description());
      break;
    }
    case log::Command::kPutApplication: {
      const auto& what = command.put_application();
      fields.add(what.name())
          .add_if(what.has_department(), what.department())
          .add_if(what.has_owner(), what.owner())
          .add_if(what.has_description(), what.description());
      break;
    }
    case log::Command::kPutCluster: {
      const auto& what = command.put_cluster();
      fields.add(what.environment())
          .add(what.application())
          .add(what.name())
          .add_if(what.has_description(), what.description());
      break;
    }
    case log::Command::kSaveDraft: {
      const auto& what = command.save_draft();
      fields.add(what.key())
          .add(what.md5())
          .add_if(what.has_expected(), what.expected())
          .add_if(what.format_given(), what.format());
      break;
    }
    case log::Command::kPublishConfigs:
      add(fields, command.publish_configs());
      break;
    case log::Command::kDeleteConfig: {
      const auto& what = command.delete_config();
      fields.add(what.key()).add(what.comment()).add_if(what.has_expected(), what.expected());
      break;
    }
    case log::Command::kRollBackConfig: {
      const auto& what = command.roll_back_config();
      fields.add(what.key()).add(what.to_version()).add(what.comment()).add_if(what.has_expected(), what.expected());
      break;
    }
    case log::Command::kPutUser: {
      const auto& what = command.put_user();
      fields.add(what.name())
          .add_if(what.has_display_name(), what.display_name())
          .add_if(what.has_disabled(), what.disabled() ? "disabled" : "enabled")
          .add_if(!what.password_hash().empty(), "password");
      break;
    }
    case log::Command::kChangeGrant: {
      const auto& what = command.change_grant();
      fields.add(what.user()).add(what.role()).add(std::uint64_t{what.revoke()});
      fields.add(what.scope().environment()).add(what.scope().application()).add(what.scope().department());
      break;
    }
    case log::Command::kCreateAccessKey:
      add(fields, command.create_access_key());
      break;
    case log::Command::kDeleteEnvironment:
    case log::Command::kDeleteApplication:
    case log::Command::kDeleteCluster:
    case log::Command::kDiscardDraft:
    case log::Command::kDeleteUser:
    case log::Command::kSetPassword:
    case log::Command::kRevokeAccessKey:
    case log::Command::kRevokeToken:
    case log::Command::kInitializeCluster:
    case log::Command::kForgetHistory:
    case log::Command::kRecordAudit:
    case log::Command::WHAT_NOT_SET:
      fields.add(target_of(command));
      break;
  }
  return fields.fingerprint();
}

}  // namespace cc::state
