#include "state/checkpoints.h"

#include <gtest/gtest.h>

namespace cc::state {
namespace {

class CheckpointsTest : public testing::Test {
 protected:
  CheckpointsTest() { writer.execute("CREATE TABLE t (x BLOB)"); }

  void commit(int times) {
    for (int i = 0; i < times; ++i) {
      writer.run("INSERT INTO t VALUES (?)", Blob{content});
      checkpoints.committed();
    }
  }
  std::uintmax_t pages_of_wal() const { return std::filesystem::file_size(file.string() + "-wal") / 4096; }

  TempDirectory folder;
  Path file = folder.path() / "state.db";
  std::string content = std::string(3000, 'x');
  Database writer{file, Database::Access::write};
  Checkpoints checkpoints{file, writer, {.copied_from = 50, .too_many = 200}};
};

TEST_F(CheckpointsTest, the_log_stays_short_although_commits_follow_each_other_closely) {
  commit(3000);
  EXPECT_LT(pages_of_wal(), 300u);
  EXPECT_GT(std::filesystem::file_size(file), 2000u * 4096) << "what was copied is in the file";
}

TEST_F(CheckpointsTest, a_reader_that_looks_at_an_old_state_stops_nothing_and_the_log_is_used_anew_afterwards) {
  {
    Database reader(file, Database::Access::read);
    reader.execute("BEGIN");
    ASSERT_FALSE(reader.ask("SELECT x FROM t").next());
    commit(1000);
    EXPECT_GT(pages_of_wal(), 1000u);
    ASSERT_FALSE(reader.ask("SELECT x FROM t").next());
  }
  const auto longest = pages_of_wal();
  commit(3000);
  EXPECT_LT(pages_of_wal(), longest + 300);
}

}  // namespace
}  // namespace cc::state
