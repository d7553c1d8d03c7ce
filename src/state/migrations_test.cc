// What a state file of an earlier schema becomes.
#include "embedded/state_migrations.h"
#include "state/database.h"
#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::ElementsAre;

class Migrations : public testing::Test {
 protected:
  // A file as the first `steps` of them left it, with `rows` in it.
  void make(std::size_t steps, const std::string& rows) {
    Database database(file, Database::Access::write);
    for (std::size_t i = 0; i < steps; ++i)
      database.execute(std::string(embedded::state_migrations.at(i).second));
    database.execute("PRAGMA application_id = 1128493940; PRAGMA user_version = " + std::to_string(steps));
    database.execute(rows);
  }
  std::vector<AuditRecord> audit() { return Queries(file).audit({}, {.limit = 1000}).value().items; }

  TempDirectory directory;
  Path file = directory.path() / "state.db";
};

TEST_F(Migrations, audit_records_of_attempts_are_told_from_those_of_changes) {
  make(2, R"(
    INSERT INTO audit VALUES (11, 5, 'wang', '10.0.0.1', 'r1', 'config.publish', 'a', 'done', '', '{}', '{}', 7);
    INSERT INTO audit VALUES (12, 6, 'mallory', '10.0.0.2', 'r2', 'config.publish', 'a', 'permission_denied', 'no', '', '', 0);
    INSERT INTO audit VALUES (13, 7, 'wang', '10.0.0.1', 'r3', 'config.publish', 'b', 'done', '', '', '{}', 8);
    INSERT INTO audit VALUES (14, 8, 'wang', '10.0.0.1', 'r4', 'login', 'wang', 'done', '', '', '', 0);)");
  const Options few{.keep_audited_changes = 2, .keep_audited_attempts = 2};
  auto state = State::open(file, few).value();
  std::vector<std::string> requests;
  for (const AuditRecord& record : audit())
    requests.push_back(record.request_id);
  EXPECT_THAT(requests, ElementsAre("r4", "r3", "r2", "r1"));
  EXPECT_EQ(audit()[1].after, "{}");
  EXPECT_EQ(audit()[2].message, "no");
  EXPECT_EQ(Queries(file).counts().value().audit_records, 4u);

  // Each kind goes on under its own limit.
  Commands commands;
  ASSERT_TRUE(state->apply(1, commands.initialize().SerializeAsString()));
  ASSERT_TRUE(state->apply(2, commands.remove("dev/shop/default/none").SerializeAsString()));
  ASSERT_TRUE(state->commit());
  requests.clear();
  for (const AuditRecord& record : audit())
    requests.push_back(record.request_id);
  EXPECT_THAT(requests, ElementsAre("request-2", "request-1", "r4", "r3"));
  EXPECT_EQ(audit()[0].id, 16u);
}

TEST_F(Migrations, users_are_there_and_their_old_tokens_end) {
  make(2, "INSERT INTO user VALUES ('wang', 'Wang', '$argon2id$1', 0, 1767225600000, 1767225600000, 3);");
  const auto state = State::open(file).value();
  const User user = state->identity().value().users.at(0);
  EXPECT_EQ(user.name, "wang");
  EXPECT_NE(user.token_epoch, 0u);
}

TEST_F(Migrations, releases_keep_what_they_hold_and_are_not_secret) {
  make(6, R"(
    INSERT INTO environment VALUES ('dev', '', 1, 0);
    INSERT INTO release VALUES (1, 1, 1, 2, 0, 'yaml', 'm', '', 'wang', 'why', 5, NULL, 5, CAST('a: 1' AS BLOB));
    UPDATE release SET sha256 = ')" +
              sha256_hex("a: 1") + R"(';
    INSERT INTO release VALUES (2, 1, 1, 3, 1, 'yaml', '', '', 'lin', '', 6, 1, 0, x'');
    INSERT INTO config VALUES ('dev/shop/default/a.yaml', 1, 1, 1, 2);)");
  const auto state = State::open(file).value();
  const ConfigKey key = ConfigKey::parse("dev/shop/default/a.yaml").value();
  const Queries queries(file);
  const ReleasePtr release = queries.release(key, 1).value();
  EXPECT_EQ(release->content, "a: 1");
  EXPECT_EQ(release->comment, "why");
  EXPECT_FALSE(release->secret);
  const auto history = queries.history(key, {}).value().items;
  ASSERT_EQ(history.size(), 2u);
  EXPECT_TRUE(history[0].deleted);
  EXPECT_EQ(history[0].author, "lin");
  EXPECT_EQ(history[0].rolled_back_from, 1u);
}

}  // namespace
}  // namespace cc::state
