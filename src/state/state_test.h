// What the tests of this folder share: a state in a temporary folder, and commands in a few words.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/file.h"
#include "proto/command.pb.h"
#include "state/queries.h"
#include "state/state.h"

namespace cc::state {

constexpr std::int64_t kStart = 1'767'225'600'000;  // 2026-01-01T00:00:00Z

inline void set_key(log::Key& to, const std::string& text) {
  const ConfigKey key = ConfigKey::parse(text).value();
  to.set_environment(key.environment);
  to.set_application(key.application);
  to.set_cluster(key.cluster);
  to.set_name(key.name);
}

// A new command, a second after the one before, under a request id of its own.
class Commands {
 public:
  log::Command make() {
    log::Command command;
    command.set_request_id("request-" + std::to_string(++made_));
    command.set_time_ms(kStart + 1000 * made_);
    command.set_actor("wang");
    command.set_address("10.0.0.7");
    return command;
  }
  log::Command initialize() {
    log::Command command = make();
    auto& what = *command.mutable_initialize_cluster();
    what.set_cluster_id("01J0000000000000000000CLUS");
    for (const char* name : {"dev", "staging", "prod"})
      what.add_environments(name);
    what.set_admin_name("admin");
    what.set_admin_password_hash("$argon2id$of-admin");
    return command;
  }
  log::Command publish(const std::string& key, const std::string& content, const std::string& format = "yaml") {
    log::Command command = make();
    add(*command.mutable_publish_configs(), key, content, format);
    return command;
  }
  // `content` and `format` are what was checked.
  log::Command publish_draft(const std::string& key, const std::string& content, const std::string& format = "yaml") {
    log::Command command = make();
    auto& one = *command.mutable_publish_configs()->add_configs();
    set_key(*one.mutable_key(), key);
    one.set_from_draft(true);
    one.set_md5(md5_hex(content));
    one.set_format(format);
    return command;
  }
  static log::PublishConfigs::One& add(log::PublishConfigs& to, const std::string& key, const std::string& content,
                                       const std::string& format = "yaml") {
    auto& one = *to.add_configs();
    set_key(*one.mutable_key(), key);
    one.set_format(format);
    one.set_content(content);
    one.set_md5(md5_hex(content));
    one.set_sha256(sha256_hex(content));
    return one;
  }
  log::Command save_draft(const std::string& key, const std::string& content, const std::string& format = "yaml") {
    log::Command command = make();
    auto& what = *command.mutable_save_draft();
    set_key(*what.mutable_key(), key);
    what.set_format(format);
    what.set_content(content);
    what.set_md5(md5_hex(content));
    return command;
  }
  log::Command discard_draft(const std::string& key) {
    log::Command command = make();
    set_key(*command.mutable_discard_draft()->mutable_key(), key);
    return command;
  }
  log::Command remove(const std::string& key) {
    log::Command command = make();
    set_key(*command.mutable_delete_config()->mutable_key(), key);
    return command;
  }
  log::Command roll_back(const std::string& key, Version to) {
    log::Command command = make();
    set_key(*command.mutable_roll_back_config()->mutable_key(), key);
    command.mutable_roll_back_config()->set_to_version(to);
    return command;
  }
  log::Command put_user(const std::string& name, const std::string& hash = "$argon2id$x") {
    log::Command command = make();
    command.mutable_put_user()->set_name(name);
    command.mutable_put_user()->set_password_hash(hash);
    return command;
  }
  log::Command grant(const std::string& user, const std::string& role, const std::string& environment = "",
                     bool revoke = false) {
    log::Command command = make();
    auto& what = *command.mutable_change_grant();
    what.set_user(user);
    what.set_role(role);
    what.mutable_scope()->set_environment(environment);
    what.set_revoke(revoke);
    return command;
  }

 private:
  std::int64_t made_ = 0;
};

// A state after the first command, and what was asked of it.
class StateTest : public testing::Test {
 protected:
  explicit StateTest(Options options = {}) : options_(options) {
    reopen();
    run(commands.initialize());
  }

  void reopen() {
    state.reset();
    auto opened = State::open(file, options_);
    ASSERT_TRUE(opened) << opened.error().message;
    state = *std::move(opened);
    index_ = state->position().applied;
  }
  log::Outcome apply(const log::Command& command) {
    auto answer = state->apply(++index_, command.SerializeAsString());
    EXPECT_TRUE(answer) << answer.error().message;
    log::Outcome outcome;
    EXPECT_TRUE(answer && outcome.ParseFromString(*answer));
    return outcome;
  }
  Changes commit() {
    Changes changes = state->take_changes();
    const auto committed = state->commit();
    EXPECT_TRUE(committed) << committed.error().message;
    return changes;
  }
  // Applies and commits.
  log::Outcome run(const log::Command& command) {
    log::Outcome outcome = apply(command);
    commit();
    return outcome;
  }
  // Applies, commits, and expects it to be done.
  log::Outcome done(const log::Command& command) {
    log::Outcome outcome = run(command);
    EXPECT_EQ(outcome.code(), 0) << outcome.message();
    return outcome;
  }
  std::vector<ReleasePtr> releases() const {
    std::vector<ReleasePtr> all;
    const auto loaded = state->load_releases([&](ReleasePtr release) { all.push_back(std::move(release)); });
    EXPECT_TRUE(loaded) << loaded.error().message;
    return all;
  }
  ReleasePtr release(const std::string& key) const {
    for (const ReleasePtr& each : releases()) {
      if (each->key_text == key) return each;
    }
    return nullptr;
  }
  // Newest first.
  std::vector<AuditRecord> audit(const AuditFilter& filter = {}) const {
    return queries.audit(filter, {.limit = 1000}).value().items;
  }
  Revision revision() const { return state->position().revision; }
  std::string checksum() const { return state->checksum().value(); }

  TempDirectory directory;
  Path file = directory.path() / "state.db";
  std::unique_ptr<State> state;
  Queries queries{file};
  Commands commands;

  Options options_;
  Index index_ = 0;
};

MATCHER_P(IsRefused, code, "is refused with " + std::string(to_string(code))) {
  *result_listener << "code " << arg.code() << ": " << arg.message();
  return arg.code() == 1 + static_cast<int>(code);
}

inline ConfigKey key(const std::string& text) {
  return ConfigKey::parse(text).value();
}

}  // namespace cc::state
