#include "state/state_test.h"

#include <random>

namespace cc::state {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kKey = "prod/shop/default/application.yaml";

class Applied : public StateTest {};

TEST_F(Applied, a_new_state_is_at_the_beginning) {
  const TempDirectory other;
  const auto fresh = State::open(other.path() / "state.db").value();
  const Position position = fresh->position();
  EXPECT_EQ(position.applied, 0);
  EXPECT_EQ(position.revision, 0);
  EXPECT_EQ(position.cluster_id, "");
}

TEST_F(Applied, the_position_is_that_of_the_last_commit) {
  const auto command = commands.publish(kKey, "a: 1\n");
  apply(command);
  EXPECT_EQ(state->position().applied, 1);
  commit();
  const Position position = state->position();
  EXPECT_EQ(position.applied, 2);
  EXPECT_EQ(position.applied_crc, crc32(command.SerializeAsString()));
  EXPECT_EQ(position.revision, 2);
  EXPECT_EQ(position.cluster_id, "01J0000000000000000000CLUS");
}

TEST_F(Applied, what_was_committed_is_there_after_reopening) {
  done(commands.publish(kKey, "a: 1\n"));
  const Position was = state->position();
  const std::string sum = checksum();
  reopen();
  EXPECT_EQ(state->position().applied, was.applied);
  EXPECT_EQ(state->position().applied_crc, was.applied_crc);
  EXPECT_EQ(state->position().revision, was.revision);
  EXPECT_EQ(checksum(), sum);
}

TEST_F(Applied, what_was_not_committed_is_not_there_after_reopening) {
  const std::string sum = checksum();
  apply(commands.publish(kKey, "a: 1\n"));
  reopen();
  EXPECT_EQ(checksum(), sum);
  EXPECT_EQ(state->position().applied, 1);
}

TEST_F(Applied, what_is_not_committed_is_not_seen) {
  apply(commands.publish(kKey, "a: 1\n"));
  EXPECT_THAT(releases(), IsEmpty());
  EXPECT_EQ(queries.configs({}, {}, {}).value().items.size(), 0u);
  commit();
  EXPECT_THAT(releases(), SizeIs(1));
  EXPECT_EQ(queries.configs({}, {}, {}).value().items.size(), 1u);
}

TEST_F(Applied, rolling_back_forgets_the_open_transaction) {
  done(commands.publish(kKey, "a: 1\n"));
  const std::string sum = checksum();
  apply(commands.publish(kKey, "a: 2\n"));
  apply(commands.put_user("li"));
  state->roll_back();
  EXPECT_THAT(commit().events, IsEmpty());
  EXPECT_EQ(checksum(), sum);

  index_ = state->position().applied;  // the log applies the same entries again
  const auto outcome = apply(commands.publish(kKey, "a: 2\n"));
  EXPECT_EQ(outcome.published(0).version(), 2);
  EXPECT_EQ(outcome.revision(), 3);
  const Changes changes = commit();
  EXPECT_THAT(changes.events, SizeIs(1));
  EXPECT_FALSE(changes.identity);
}

TEST_F(Applied, a_transaction_spans_batches_that_were_delivered_and_rolls_all_of_them_back) {
  const auto first = commands.publish(kKey, "a: 1\n");
  const auto second = commands.publish(kKey, "a: 2\n");
  apply(first);
  EXPECT_THAT(state->take_changes().events, SizeIs(1));
  apply(second);
  EXPECT_THAT(state->take_changes().events, SizeIs(1));
  EXPECT_EQ(state->position().applied, 1) << "what is not committed does not count";
  state->roll_back();

  index_ = state->position().applied;  // the log applies the same commands again: they are no repetition
  EXPECT_FALSE(apply(first).repeated_request());
  EXPECT_FALSE(apply(second).repeated_request());
  EXPECT_THAT(commit().events, SizeIs(2));
  EXPECT_EQ(release(kKey)->content, "a: 2\n");
}

TEST_F(Applied, who_may_do_what_is_told_before_it_is_committed) {
  apply(commands.put_user("li"));
  EXPECT_TRUE(state->take_changes().identity);
  EXPECT_THAT(state->identity().value().users, SizeIs(2));
  state->roll_back();
  EXPECT_THAT(state->identity().value().users, SizeIs(1));
}

TEST_F(Applied, what_failed_can_only_be_rolled_back) {
  const std::string sum = checksum();
  apply(commands.publish(kKey, "a: 1\n"));
  ASSERT_FALSE(state->apply(3, "\xff\xff"));
  EXPECT_FALSE(state->apply(3, commands.publish(kKey, "a: 2\n").SerializeAsString()));
  EXPECT_FALSE(state->commit());
  state->roll_back();
  EXPECT_EQ(checksum(), sum);
  index_ = 1;
  done(commands.publish(kKey, "a: 1\n"));
}

TEST_F(Applied, an_index_is_applied_once) {
  const auto command = commands.publish(kKey, "a: 1\n").SerializeAsString();
  EXPECT_EQ(state->apply(1, command).error().code, Code::internal);
  state->roll_back();
  ASSERT_TRUE(state->apply(5, command));  // entries that are no commands take indices too
  EXPECT_EQ(state->apply(5, command).error().code, Code::internal);
  state->roll_back();
}

TEST_F(Applied, a_command_of_a_newer_version_stops_applying_rather_than_being_passed_over) {
  const auto unknown = state->apply(2, std::string("\xfa\x3e\x01x", 4));  // field 1007
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("version"));
  state->roll_back();
  EXPECT_EQ(state->apply(2, "\xff\xff").error().code, Code::corruption);
  state->roll_back();
  EXPECT_EQ(state->position().applied, 1);
}

TEST_F(Applied, committing_nothing_is_no_change) {
  const Changes changes = commit();
  EXPECT_THAT(changes.events, IsEmpty());
  EXPECT_EQ(changes.revision, revision());
}

TEST_F(Applied, releases_are_loaded_in_order_of_their_keys) {
  for (const char* each :
       {"prod/b/default/x.txt", "dev/z/default/x.txt", "prod/a/default/y.txt", "prod/a-b/default/x.txt"}) {
    done(commands.publish(each, "x", "text"));
  }
  std::vector<std::string> keys;
  for (const ReleasePtr& each : releases())
    keys.push_back(each->key_text);
  EXPECT_TRUE(std::ranges::is_sorted(keys));
  EXPECT_THAT(keys, SizeIs(4));
}

// A few hundred commands of all kinds, many of them refused.
std::vector<std::string> random_log(unsigned seed) {
  std::mt19937 dice(seed);
  const auto pick = [&](int sides) { return static_cast<int>(dice() % static_cast<unsigned>(sides)); };
  const auto any_key = [&] {
    static constexpr const char* kEnvironments[] = {"dev", "prod", "nowhere"};
    return std::string(kEnvironments[pick(3)]) + "/app" + std::to_string(pick(3)) + "/default/" +
           std::to_string(pick(4)) + ".txt";
  };
  const auto any_user = [&] { return "user" + std::to_string(pick(3)); };
  Commands commands;
  std::vector<std::string> log{commands.initialize().SerializeAsString()};
  std::vector<log::Command> made;
  for (int i = 0; i < 400; ++i) {
    log::Command command;
    switch (pick(16)) {
      case 0:
      case 1:
      case 2:
        command = commands.publish(any_key(), "content " + std::to_string(pick(5)), "text");
        break;
      case 3:
        command = commands.remove(any_key());
        break;
      case 4:
        command = commands.roll_back(any_key(), static_cast<Version>(pick(5)));
        break;
      case 5:
        command = commands.save_draft(any_key(), std::to_string(pick(2)), "text");
        break;
      case 6:
        command = commands.publish_draft(any_key(), std::to_string(pick(2)), "text");
        break;
      case 7:
        command = commands.discard_draft(any_key());
        break;
      case 8:
        command = commands.put_user(any_user(), "hash" + std::to_string(pick(4)));
        break;
      case 9:
        command = commands.grant(any_user(), "viewer", pick(2) == 0 ? "dev" : "", pick(2) == 0);
        break;
      case 10:
        command = commands.make();
        command.mutable_delete_user()->set_name(any_user());
        break;
      case 11:
        command = commands.put_user(any_user(), "");
        command.mutable_put_user()->set_disabled(pick(2) == 0);
        break;
      case 12:
        command = commands.make();
        command.mutable_revoke_token()->set_token_id("token" + std::to_string(i));
        command.mutable_revoke_token()->set_user(any_user());
        command.mutable_revoke_token()->set_expires_ms(command.time_ms() + pick(7'200'000));
        break;
      case 13:
        command = commands.make();
        for (int n = pick(4); n >= 0; --n)
          command.mutable_record_audit()->add_records()->set_outcome("permission_denied");
        break;
      case 14:
        command = commands.make();
        if (pick(3) == 0) {
          command.mutable_delete_application()->set_name("app" + std::to_string(pick(3)));
        } else {
          command.mutable_put_application()->set_name("app" + std::to_string(pick(3)));
          if (pick(2) == 0) command.mutable_put_application()->set_department(std::to_string(pick(3)));
        }
        break;
      default:
        command = made.empty() ? commands.remove(any_key())
                               : made[static_cast<std::size_t>(pick(static_cast<int>(made.size())))];
        break;
    }
    command.set_time_ms(command.time_ms() + pick(3'600'000));
    if (command.has_publish_configs() && pick(4) == 0) {
      command.mutable_publish_configs()->mutable_configs(0)->mutable_expected()->set_revision(
          static_cast<Revision>(pick(40)));
    }
    made.push_back(command);
    log.push_back(command.SerializeAsString());
  }
  return log;
}

class Deterministic : public testing::TestWithParam<unsigned> {};

TEST_P(Deterministic, states_that_applied_the_same_log_are_equal_however_it_was_cut_into_batches) {
  const auto log = random_log(GetParam());
  const TempDirectory directory;
  const Options options{.remember_requests = std::chrono::hours(1),
                        .remember_requests_at_most = 50,
                        .keep_versions = 5,
                        .keep_audited_changes = 100,
                        .keep_audited_attempts = 30,
                        .revoked_tokens_per_user = 2};
  const Path one_file = directory.path() / "one.db";
  const Path other_file = directory.path() / "other.db";
  auto one = State::open(one_file, options).value();
  auto other = State::open(other_file, options).value();
  std::mt19937 dice(GetParam() + 1);

  Revision last = 0;
  for (Index index = 1; index <= log.size(); ++index) {
    const auto first = one->apply(index, log[index - 1]);
    const auto second = other->apply(index, log[index - 1]);
    ASSERT_TRUE(first && second);
    ASSERT_EQ(*first, *second) << "at " << index;
    ASSERT_TRUE(one->commit());
    const Changes changes = one->take_changes();
    for (const Event& event : changes.events) {
      EXPECT_GT(event.revision, last);
      last = event.revision;
    }
    if (dice() % 10 == 0) ASSERT_TRUE(other->commit());
    if (dice() % 60 == 0) {  // a restart, or a failure after which the log applies again what was not committed
      dice() % 2 == 0 ? other->roll_back() : other.reset();
      if (!other) other = State::open(other_file, options).value();
      for (Index again = other->position().applied + 1; again <= index; ++again)
        ASSERT_TRUE(other->apply(again, log[again - 1]));
    }
  }
  ASSERT_TRUE(other->commit());
  EXPECT_EQ(one->checksum().value(), other->checksum().value());
  EXPECT_EQ(one->position().revision, other->position().revision);

  auto third = State::open(directory.path() / "third.db", options).value();
  for (Index index = 1; index < log.size(); ++index)
    ASSERT_TRUE(third->apply(index, log[index - 1]));
  ASSERT_TRUE(third->commit());
  EXPECT_NE(one->checksum().value(), third->checksum().value());
}

INSTANTIATE_TEST_SUITE_P(Seeds, Deterministic, testing::Values(1u, 2u, 3u));

}  // namespace
}  // namespace cc::state
