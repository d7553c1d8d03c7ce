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
  Path snapshot() {
    auto held = state->begin_snapshot();
    EXPECT_TRUE(held) << held.error().message;
    return written(**held);
  }
  Path written(State::Snapshot& held) {
    const Path to = elsewhere.path() / std::to_string(++snapshots_);
    const auto done = held.write(to);
    EXPECT_TRUE(done) << done.error().message;
    return to;
  }
  Path beside(const char* suffix) const { return file.string() + suffix; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory.path()), std::filesystem::directory_iterator()));
  }

  TempDirectory elsewhere;

 private:
  int snapshots_ = 0;
};

TEST_F(Snapshots, say_of_themselves_where_they_were_taken) {
  done(commands.publish(kKey, "a: 1\n"));
  const auto held = state->begin_snapshot().value();
  const Position& said = held->position();
  const Position is = state->position();
  EXPECT_EQ(said.applied, is.applied);
  EXPECT_EQ(said.applied_crc, is.applied_crc);
  EXPECT_EQ(said.revision, is.revision);
  EXPECT_EQ(said.cluster_id, is.cluster_id);
  EXPECT_EQ(held->bytes(), std::filesystem::file_size(written(*held)));
}

TEST_F(Snapshots, restore_another_node_to_the_same_state) {
  done(commands.publish(kKey, "a: 1\n"));
  done(commands.put_user("li"));
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
  EXPECT_EQ(held->position().applied, 2);
  const Path file = written(*held);

  auto other = State::open(elsewhere.path() / "state.db").value();
  ASSERT_TRUE(other->restore(file));
  EXPECT_EQ(other->checksum().value(), sum);
}

TEST_F(Snapshots, are_written_on_another_thread_while_applying_goes_on) {
  for (int i = 0; i < 200; ++i)
    apply(commands.publish("prod/shop/default/" + std::to_string(i), std::string(2000, 'x'), "text"));
  commit();
  const std::string sum = checksum();
  auto held = state->begin_snapshot().value();
  Path file;
  std::thread writer([&] { file = written(*held); });
  for (int i = 0; i < 400; ++i)
    run(commands.publish("prod/shop/default/" + std::to_string(i), std::string(2000, 'y'), "text"));
  writer.join();

  auto other = State::open(elsewhere.path() / "state.db").value();
  ASSERT_TRUE(other->restore(file));
  EXPECT_EQ(other->checksum().value(), sum);
}

TEST_F(Snapshots, are_written_once) {
  auto held = state->begin_snapshot().value();
  written(*held);
  EXPECT_FALSE(held->write(elsewhere.path() / "again"));
}

TEST_F(Snapshots, that_cannot_be_written_say_so) {
  const auto error = state->begin_snapshot().value()->write(elsewhere.path() / "nowhere" / "file").error();
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, HasSubstr("nowhere"));
}

TEST_F(Snapshots, may_outlive_a_restore) {
  const Path early = snapshot();
  done(commands.publish(kKey, "a: 1\n"));
  auto held = state->begin_snapshot().value();
  ASSERT_TRUE(state->restore(early));
  auto other = State::open(elsewhere.path() / "state.db").value();
  ASSERT_TRUE(other->restore(written(*held)));
  EXPECT_EQ(other->position().applied, 2);
}

TEST_F(Snapshots, restored_replace_what_was_there_also_after_reopening) {
  const std::string sum = checksum();
  const Path early = snapshot();
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
  const Path early = snapshot();
  done(commands.publish(kKey, "a: 1\n"));
  EXPECT_EQ(queries.configs({}, {}, {}).value().items.size(), 1u);
  ASSERT_TRUE(state->restore(early));
  EXPECT_EQ(queries.configs({}, {}, {}).value().items.size(), 0u);
  index_ = state->position().applied;
  done(commands.publish(kKey, "a: 2\n"));
  EXPECT_EQ(queries.release(key(kKey), 1).value()->content, "a: 2\n");
}

TEST_F(Snapshots, are_restored_while_queries_run) {
  for (int i = 0; i < 50; ++i)
    apply(commands.publish("prod/shop/default/" + std::to_string(i), "x", "text"));
  commit();
  const Path full = snapshot();
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

// That every byte is what was written is held by the SHA-256 in the log's reference to the file.
TEST_F(Snapshots, that_are_no_sound_state_are_refused_and_nothing_changes) {
  for (int i = 0; i < 100; ++i)
    apply(commands.publish("prod/shop/default/" + std::to_string(i), std::string(2000, 'x'), "text"));
  commit();
  const std::string good = read_file(snapshot()).value();
  done(commands.publish(kKey, "a: 1\n"));
  const std::string sum = checksum();
  const auto refused = [&](const std::string& content) {
    const Path bad = elsewhere.path() / "bad";
    EXPECT_TRUE(write_file(bad, content));
    const auto restored = state->restore(bad);
    return !restored && restored.error().code == Code::corruption;
  };
  std::string cut_up = good;
  for (std::size_t page = 4096; page + 4096 < cut_up.size(); page += 2 * 4096)
    cut_up.replace(page, 4096, std::string(4096, '\0'));
  EXPECT_TRUE(refused(cut_up));
  EXPECT_TRUE(refused(good.substr(0, good.size() / 2)));
  EXPECT_TRUE(refused("no snapshot at all"));
  EXPECT_EQ(state->restore(elsewhere.path() / "none").error().code, Code::not_found);
  EXPECT_EQ(checksum(), sum);
  EXPECT_EQ(files(), 3u) << "nothing is left beside the state";
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
