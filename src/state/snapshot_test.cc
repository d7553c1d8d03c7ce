#include <filesystem>
#include <thread>

#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kKey = "prod/shop/default/application.yaml";

class Snapshots : public StateTest {
 protected:
  std::string snapshot() {
    auto held = state->begin_snapshot();
    EXPECT_TRUE(held) << held.error().message;
    auto bytes = (*held)->read();
    EXPECT_TRUE(bytes) << bytes.error().message;
    return bytes.value_or("");
  }
  Path beside(const char* suffix) const { return file.string() + suffix; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory.path()), std::filesystem::directory_iterator()));
  }
};

TEST_F(Snapshots, say_of_themselves_where_they_were_taken) {
  done(commands.publish(kKey, "a: 1\n"));
  const Position said = State::position_of(snapshot()).value();
  const Position is = state->position();
  EXPECT_EQ(said.applied, is.applied);
  EXPECT_EQ(said.applied_crc, is.applied_crc);
  EXPECT_EQ(said.revision, is.revision);
  EXPECT_EQ(said.cluster_id, is.cluster_id);
}

TEST_F(Snapshots, restore_another_node_to_the_same_state) {
  done(commands.publish(kKey, "a: 1\n"));
  done(commands.put_user("li"));
  const TempDirectory elsewhere;
  auto other = State::open(elsewhere.path() / "state.db").value();
  ASSERT_TRUE(other->restore(snapshot()));
  EXPECT_EQ(other->checksum().value(), checksum());
  EXPECT_EQ(other->position().applied, state->position().applied);
  EXPECT_EQ(other->position().cluster_id, state->position().cluster_id);

  const auto next = commands.publish(kKey, "a: 2\n").SerializeAsString();
  ASSERT_TRUE(other->apply(++index_, next) && state->apply(index_, next));
  ASSERT_TRUE(other->commit() && state->commit());
  EXPECT_EQ(other->checksum().value(), checksum());
}

TEST_F(Snapshots, hold_what_was_committed_when_they_were_begun) {
  done(commands.publish(kKey, "a: 1\n"));
  const std::string sum = checksum();
  apply(commands.publish(kKey, "a: not committed\n"));
  auto held = state->begin_snapshot().value();
  commit();
  done(commands.publish(kKey, "a: later\n"));
  const std::string bytes = held->read().value();
  EXPECT_EQ(State::position_of(bytes).value().applied, 2);

  const TempDirectory elsewhere;
  auto other = State::open(elsewhere.path() / "state.db").value();
  ASSERT_TRUE(other->restore(bytes));
  EXPECT_EQ(other->checksum().value(), sum);
}

TEST_F(Snapshots, are_read_on_another_thread_while_applying_goes_on) {
  for (int i = 0; i < 200; ++i)
    apply(commands.publish("prod/shop/default/" + std::to_string(i), std::string(2000, 'x'), "text"));
  commit();
  const std::string sum = checksum();
  auto held = state->begin_snapshot().value();
  std::string bytes;
  std::thread reader([&] { bytes = held->read().value(); });
  for (int i = 0; i < 400; ++i)
    run(commands.publish("prod/shop/default/" + std::to_string(i), std::string(2000, 'y'), "text"));
  reader.join();

  const TempDirectory elsewhere;
  auto other = State::open(elsewhere.path() / "state.db").value();
  ASSERT_TRUE(other->restore(bytes));
  EXPECT_EQ(other->checksum().value(), sum);
}

TEST_F(Snapshots, are_read_once) {
  auto held = state->begin_snapshot().value();
  ASSERT_TRUE(held->read());
  EXPECT_FALSE(held->read());
}

TEST_F(Snapshots, may_outlive_a_restore) {
  const std::string early = snapshot();
  done(commands.publish(kKey, "a: 1\n"));
  auto held = state->begin_snapshot().value();
  ASSERT_TRUE(state->restore(early));
  EXPECT_EQ(State::position_of(held->read().value()).value().applied, 2);
}

TEST_F(Snapshots, restored_replace_what_was_there_also_after_reopening) {
  const std::string sum = checksum();
  const std::string early = snapshot();
  done(commands.publish(kKey, "a: 1\n"));
  ASSERT_TRUE(state->restore(early));
  EXPECT_EQ(checksum(), sum);
  EXPECT_THAT(releases(), IsEmpty());
  index_ = state->position().applied;
  EXPECT_EQ(done(commands.publish(kKey, "a: 2\n")).published(0).version(), 1);
  reopen();
  EXPECT_EQ(release(kKey)->content, "a: 2\n");
  state.reset();
  EXPECT_FALSE(std::filesystem::exists(beside(".incoming")));
  EXPECT_FALSE(std::filesystem::exists(beside(".restored")));
}

TEST_F(Snapshots, restored_are_noticed_by_queries_that_had_the_old_file_open) {
  const std::string early = snapshot();
  done(commands.publish(kKey, "a: 1\n"));
  EXPECT_EQ(queries.counts().value().configs, 1);
  ASSERT_TRUE(state->restore(early));
  EXPECT_EQ(queries.counts().value().configs, 0);
  index_ = state->position().applied;
  done(commands.publish(kKey, "a: 2\n"));
  EXPECT_EQ(queries.release(key(kKey), 1).value()->content, "a: 2\n");
}

TEST_F(Snapshots, are_restored_while_queries_run) {
  for (int i = 0; i < 50; ++i)
    apply(commands.publish("prod/shop/default/" + std::to_string(i), "x", "text"));
  commit();
  const std::string full = snapshot();
  std::atomic<bool> stop = false;
  std::atomic<int> asked = 0;
  std::vector<std::jthread> askers;
  for (int i = 0; i < 3; ++i) {
    askers.emplace_back([&] {
      while (!stop) {
        const auto page = queries.configs({}, {.limit = 1000}, {});
        ASSERT_TRUE(page) << page.error().message;
        ASSERT_EQ(page->items.size() % 50, 0);
        ++asked;
      }
    });
  }
  for (int round = 0; round < 10; ++round) {
    while (asked < round)
      std::this_thread::yield();
    ASSERT_TRUE(state->restore(full));
    index_ = state->position().applied;
    for (int i = 0; i < 50; ++i)
      apply(commands.publish("prod/shop/more/" + std::to_string(i), "x", "text"));
    commit();
  }
  stop = true;
}

TEST_F(Snapshots, damaged_anywhere_are_refused_and_nothing_changes) {
  const std::string good = snapshot();
  done(commands.publish(kKey, "a: 1\n"));
  const std::string sum = checksum();
  for (std::size_t at = 0; at < good.size(); at += at < 200 ? 1 : 997) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    const auto restored = state->restore(bad);
    ASSERT_FALSE(restored) << at;
    EXPECT_EQ(restored.error().code, Code::corruption);
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, std::size_t{40}, good.size() - 1}) {
    EXPECT_EQ(state->restore(good.substr(0, length)).error().code, Code::corruption);
    EXPECT_EQ(State::position_of(good.substr(0, length)).error().code, Code::corruption);
  }
  EXPECT_EQ(State::position_of("no snapshot at all").error().code, Code::corruption);
  EXPECT_EQ(checksum(), sum);
  done(commands.publish(kKey, "a: 2\n"));
}

TEST_F(Snapshots, a_crash_while_the_incoming_file_is_written_leaves_the_old_state) {
  done(commands.publish(kKey, "a: 1\n"));
  const std::string sum = checksum();
  state.reset();
  ASSERT_TRUE(write_file(beside(".incoming"), "half a state"));
  reopen();
  EXPECT_EQ(checksum(), sum);
  EXPECT_FALSE(std::filesystem::exists(beside(".incoming")));
}

TEST_F(Snapshots, a_crash_after_the_decision_leaves_the_new_state) {
  // The old state as a crash leaves it: the newest commits only in its -wal.
  done(commands.publish(kKey, "a: old\n"));
  const TempDirectory crashed;
  for (const char* suffix : {"", "-wal"})
    std::filesystem::copy_file(beside(suffix), crashed.path() / ("state.db" + std::string(suffix)));

  const TempDirectory elsewhere;
  const Path new_file = elsewhere.path() / "state.db";
  std::string sum;
  {
    auto other = State::open(new_file).value();
    Commands others;
    ASSERT_TRUE(other->apply(1, others.initialize().SerializeAsString()));
    ASSERT_TRUE(other->apply(2, others.publish(kKey, "a: new\n").SerializeAsString()));
    ASSERT_TRUE(other->commit());
    sum = other->checksum().value();
  }
  std::filesystem::copy_file(new_file, crashed.path() / "state.db.restored");

  const auto reopened = State::open(crashed.path() / "state.db").value();
  EXPECT_EQ(reopened->checksum().value(), sum);
  EXPECT_FALSE(std::filesystem::exists(crashed.path() / "state.db.restored"));
}

TEST_F(Snapshots, a_crash_after_the_old_wal_was_removed_leaves_the_new_state) {
  const std::string sum = checksum();
  state.reset();
  const TempDirectory crashed;
  std::filesystem::copy_file(file, crashed.path() / "state.db.restored");
  ASSERT_TRUE(write_file(crashed.path() / "state.db", std::string(8192, 'x')));  // whatever it was without its -wal
  EXPECT_EQ(State::open(crashed.path() / "state.db").value()->checksum().value(), sum);
}

}  // namespace
}  // namespace cc::state
