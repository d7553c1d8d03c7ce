#include "state/upkeep.h"

#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "state/database.h"
#include "state/state_test.h"

namespace cc::state {
namespace {

class Upkeep : public StateTest {
 protected:
  // As what is forgotten after years: the rows go, the pages stay.
  void grow_and_shrink() {
    Database database(file, Database::Access::write);
    database.execute("CREATE TABLE filler (bytes BLOB)");
    for (int i = 0; i < 32; ++i)
      database.execute("INSERT INTO filler VALUES (zeroblob(1048576))");
    database.execute("DROP TABLE filler");
  }
};

TEST_F(Upkeep, gives_back_what_is_not_used_any_more) {
  grow_and_shrink();
  const Room before = room_in(file).value();
  EXPECT_TRUE(before.much() && before.can_give_back);
  const std::string checksum = this->checksum();

  const Room after = keep_up(file, {}).value();
  EXPECT_FALSE(after.much());
  EXPECT_LT(after.bytes, before.bytes / 4);
  EXPECT_EQ(this->checksum(), checksum);
}

TEST_F(Upkeep, the_state_can_be_changed_meanwhile) {
  grow_and_shrink();
  std::jthread keeping([&](const std::stop_token& stop) { EXPECT_TRUE(keep_up(file, stop)); });
  for (int i = 0; i < 200; ++i)
    done(commands.publish(fmt::format("dev/shop/default/{}.txt", i), "content", "text"));
  keeping.join();
  EXPECT_FALSE(room_in(file).value().much());
  const std::string checksum = this->checksum();
  reopen();
  EXPECT_EQ(this->checksum(), checksum);
}

TEST_F(Upkeep, leaves_a_file_as_it_is_in_which_little_is_unused) {
  const Room before = room_in(file).value();
  EXPECT_FALSE(before.much());
  EXPECT_EQ(keep_up(file, {}).value().bytes / 65536, before.bytes / 65536);
}

}  // namespace
}  // namespace cc::state
