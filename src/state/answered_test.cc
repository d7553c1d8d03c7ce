#include "state/database.h"
#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kKey = "prod/shop/default/application.yaml";

class RepeatedRequests : public StateTest {
 protected:
  explicit RepeatedRequests(Options options = {}) : StateTest(options) {}
};

TEST_F(RepeatedRequests, are_answered_as_the_first_time_and_do_nothing) {
  auto command = commands.publish(kKey, "a: 1\n");
  const auto first = done(command);
  done(commands.publish(kKey, "a: 2\n"));
  const auto was = revision();

  command.set_time_ms(command.time_ms() + 60'000);  // when it was repeated
  const auto again = apply(command);
  EXPECT_TRUE(again.repeated_request());
  EXPECT_EQ(again.revision(), first.revision());
  EXPECT_EQ(again.published(0).version(), 1);
  EXPECT_TRUE(again.created());
  EXPECT_THAT(commit().events, IsEmpty());
  EXPECT_EQ(release(kKey)->content, "a: 2\n");
  EXPECT_EQ(revision(), was);
  EXPECT_THAT(audit({.action = "config.publish"}), SizeIs(2));
}

TEST_F(RepeatedRequests, are_known_within_one_batch_and_after_a_restart) {
  const auto command = commands.publish(kKey, "a: 1\n");
  EXPECT_FALSE(apply(command).repeated_request());
  EXPECT_TRUE(apply(command).repeated_request());
  commit();
  reopen();
  EXPECT_TRUE(run(command).repeated_request());
}

TEST_F(RepeatedRequests, that_were_refused_are_refused_again_although_they_would_be_done_now) {
  const auto command = commands.remove(kKey);
  EXPECT_THAT(run(command), IsRefused(Code::not_found));
  done(commands.publish(kKey, "a: 1\n"));
  const auto again = run(command);
  EXPECT_THAT(again, IsRefused(Code::not_found));
  EXPECT_TRUE(again.repeated_request());
  EXPECT_FALSE(release(kKey)->deleted);
}

TEST_F(RepeatedRequests, are_known_although_the_node_stamped_other_hashes_and_ids) {
  auto command = commands.make();
  command.mutable_create_access_key()->set_id("ck_1");
  command.mutable_create_access_key()->set_application("shop");
  done(command);
  command.mutable_create_access_key()->set_id("ck_2");
  EXPECT_TRUE(run(command).repeated_request());
  EXPECT_THAT(state->identity().value().keys, SizeIs(1));
}

TEST_F(RepeatedRequests, are_those_of_the_same_actor) {
  auto command = commands.publish(kKey, "a: 1\n");
  done(command);
  command.set_actor("li");
  EXPECT_FALSE(done(command).repeated_request());
  EXPECT_EQ(release(kKey)->version, 2);
}

TEST_F(RepeatedRequests, an_id_that_another_request_had_is_refused_rather_than_answered_with_its_outcome) {
  const auto first = commands.publish(kKey, "a: 1\n");
  done(first);
  auto other = commands.publish("prod/shop/default/other.yaml", "b: 1\n");
  other.set_request_id(first.request_id());
  EXPECT_THAT(run(other), IsRefused(Code::invalid_argument));
  auto another = commands.remove(kKey);
  another.set_request_id(first.request_id());
  EXPECT_THAT(run(another), IsRefused(Code::invalid_argument));
  EXPECT_TRUE(run(first).repeated_request());
}

TEST_F(RepeatedRequests, that_ask_for_something_else_of_the_same_config_are_refused_rather_than_acknowledged) {
  const auto first = commands.publish(kKey, "a: 1\n");
  done(first);
  auto other = commands.publish(kKey, "a: 2\n");
  other.set_request_id(first.request_id());
  EXPECT_THAT(run(other), IsRefused(Code::invalid_argument));
  EXPECT_EQ(release(kKey)->content, "a: 1\n");
  EXPECT_TRUE(run(first).repeated_request());
}

TEST_F(RepeatedRequests, without_an_id_are_no_repetition) {
  auto command = commands.publish(kKey, "a: 1\n");
  command.clear_request_id();
  done(command);
  EXPECT_FALSE(done(command).repeated_request());
  EXPECT_EQ(release(kKey)->version, 2);
}

TEST_F(RepeatedRequests, are_known_although_the_clock_jumped) {
  auto command = commands.publish(kKey, "a: 1\n");
  done(command);
  const auto time = command.time_ms();
  for (const int hours : {1, -1, 72, -72, 24 * 366}) {
    auto other = commands.publish("prod/shop/default/other.yaml", std::to_string(hours));
    other.set_time_ms(time + hours * 3'600'000LL);
    done(other);
    command.set_time_ms(other.time_ms());
    EXPECT_TRUE(run(command).repeated_request()) << hours;
  }
  EXPECT_EQ(release(kKey)->version, 1);
}

class BrieflyRepeatedRequests : public RepeatedRequests {
 protected:
  BrieflyRepeatedRequests() : RepeatedRequests({.remember_requests = std::chrono::milliseconds(1500)}) {}
};

TEST_F(BrieflyRepeatedRequests, are_forgotten_after_the_time_of_which_a_gap_counts_as_a_second) {
  auto command = commands.publish(kKey, "a: 1\n");
  done(command);
  const auto again = [&](std::int64_t after_ms) {
    auto later = command;
    later.set_time_ms(command.time_ms() + after_ms);
    return run(later).repeated_request();
  };
  auto other = commands.publish("prod/shop/default/other.yaml", "a: 1\n");
  other.set_time_ms(command.time_ms() + 3'600'000);
  done(other);
  EXPECT_TRUE(again(3'600'000 + 500)) << "exactly that old is not older";
  reopen();
  EXPECT_TRUE(again(3'600'000 + 500));
  EXPECT_FALSE(again(3'600'000 + 501));
  EXPECT_TRUE(again(3'600'000 + 501)) << "now it is the newer one that is known";
}

class FewRepeatedRequests : public RepeatedRequests {
 protected:
  static constexpr std::int64_t kShort = 600;  // ms, for which all are kept

  FewRepeatedRequests()
      : RepeatedRequests(
            {.remember_requests_at_most = 3, .remember_requests_at_least = std::chrono::milliseconds(kShort)}) {}

  log::Command publish(std::int64_t after_ms) {
    log::Command command = commands.publish(kKey, "a: 1\n");
    command.set_time_ms(kStart + after_ms);
    return command;
  }
  void publish_at(std::int64_t after_ms) {
    made.push_back(publish(after_ms));
    done(made.back());
  }
  // Whether the command is known when it comes again.
  bool repeated(log::Command command, std::int64_t after_ms) {
    command.set_time_ms(kStart + after_ms);
    return run(command).repeated_request();
  }
  std::uint64_t rows() {
    Database reader(file, Database::Access::read);
    Rows counted = reader.ask("SELECT count(*) FROM answered");
    return counted.next() ? counted.number(0) : 0;
  }

  std::vector<log::Command> made;
};

TEST_F(FewRepeatedRequests, are_forgotten_beyond_the_number_the_oldest_first) {
  for (int i = 0; i < 5; ++i)
    publish_at(i * kShort);
  const auto later = 5 * kShort + 1;
  reopen();
  for (std::size_t i = 2; i < 5; ++i)
    EXPECT_TRUE(repeated(made[i], later)) << i;
  EXPECT_FALSE(repeated(made[1], later));
}

TEST_F(FewRepeatedRequests, are_not_forgotten_within_a_short_time_whatever_their_number) {
  for (int i = 0; i < 200; ++i)  // more than the steps in which rows are removed
    publish_at(i);
  reopen();
  EXPECT_TRUE(repeated(made[0], kShort)) << "exactly that old is not older";
  EXPECT_TRUE(repeated(made[150], kShort));
  EXPECT_FALSE(repeated(made[0], kShort + 1));
  EXPECT_TRUE(repeated(made[2], kShort + 1));
}

TEST_F(FewRepeatedRequests, take_a_bounded_room) {
  for (int i = 0; i < 300; ++i)
    publish_at(i * 10);
  EXPECT_LE(rows(), 64u + 61u) << "those of the short time, and what was added since rows were removed";
}

TEST_F(FewRepeatedRequests, of_a_burst_are_removed_bit_by_bit) {
  constexpr int kBurst = 3000;
  for (int i = 0; i < kBurst; ++i)
    apply(publish(0));
  commit();
  EXPECT_EQ(rows(), kBurst + 1u);
  std::uint64_t before = rows();
  for (int i = 0; i < 64 * 4; ++i) {
    publish_at(2 * kShort);
    EXPECT_LE(before, rows() + 1024) << "one command does not do all of it";
    before = rows();
  }
  EXPECT_LE(rows(), 64u * 4 + 3);
}

}  // namespace
}  // namespace cc::state
