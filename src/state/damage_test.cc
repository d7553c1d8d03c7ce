#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include <sqlite3.h>

#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::SizeIs;

constexpr auto kKey = "prod/shop/default/application.yaml";

class Damaged : public StateTest {
 protected:
  void write_at(std::size_t offset, const std::string& bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  Error refusal() {
    auto opened = State::open(file);
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
  void execute(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }
};

TEST_F(Damaged, a_file_that_is_no_database_is_refused_with_what_to_do) {
  state.reset();
  write_at(0, "this is no database at all");
  const Error error = refusal();
  EXPECT_EQ(error.code, Code::corruption);
  EXPECT_THAT(error.message, HasSubstr(file.string()));
  EXPECT_THAT(error.message, HasSubstr("move it"));
}

TEST_F(Damaged, a_file_with_damaged_pages_is_refused) {
  for (int i = 0; i < 100; ++i)
    apply(commands.publish("prod/shop/default/" + std::to_string(i), std::string(300, 'x'), "text"));
  commit();
  state.reset();
  std::mt19937 dice(7);
  for (std::size_t page = 1; page < std::filesystem::file_size(file) / 4096; ++page) {
    std::string noise(200, '\0');
    for (char& byte : noise)
      byte = static_cast<char>(dice());
    write_at(page * 4096, noise);
  }
  EXPECT_EQ(refusal().code, Code::corruption);
}

TEST_F(Damaged, a_file_that_was_cut_is_refused) {
  for (int i = 0; i < 100; ++i)
    apply(commands.publish("prod/shop/default/" + std::to_string(i), std::string(300, 'x'), "text"));
  commit();
  state.reset();
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_EQ(refusal().code, Code::corruption);
}

TEST_F(Damaged, content_that_is_not_what_was_published_is_not_served) {
  const std::string content = "pool: " + std::string(1000, '7') + "\n";
  done(commands.publish(kKey, content));
  state.reset();
  std::string bytes = read_file(file).value();
  const std::size_t at = bytes.find(std::string(1000, '7'));
  ASSERT_NE(at, std::string::npos);
  write_at(at + 500, "8");
  reopen();
  const auto loaded = state->load_releases([](const ReleasePtr&) {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::corruption);
  EXPECT_THAT(loaded.error().message, HasSubstr(kKey));
  EXPECT_EQ(queries.release(key(kKey), 1).error().code, Code::corruption);
}

TEST_F(Damaged, a_state_of_a_newer_version_is_refused_with_what_to_do) {
  state.reset();
  execute("PRAGMA user_version = 1001");
  const Error error = refusal();
  EXPECT_EQ(error.code, Code::corruption);
  EXPECT_THAT(error.message, HasSubstr("newer version"));
}

TEST_F(Damaged, a_database_of_another_program_is_refused) {
  state.reset();
  std::filesystem::remove(file);
  execute("CREATE TABLE phone_book (name, number)");
  EXPECT_EQ(refusal().code, Code::corruption);
}

TEST(Unwritable, a_folder_that_is_not_there_is_unavailable) {
  const TempDirectory directory;
  const auto opened = State::open(directory.path() / "none" / "state.db");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::unavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("none/state.db"));
}

TEST(Unwritable, queries_without_a_file_are_unavailable) {
  const TempDirectory directory;
  EXPECT_EQ(Queries(directory.path() / "state.db").counts().error().code, Code::unavailable);
}

// Runs as nobody, whom permissions hold back: root is not.
class AsNobody : public StateTest {
 protected:
  static constexpr uid_t kNobody = 65534;
  void become_nobody() {
    if (::geteuid() != 0) return;
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  ~AsNobody() override {
    if (::getuid() == 0) static_cast<void>(::seteuid(0));
    std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_all);
  }
};

TEST_F(AsNobody, a_folder_that_may_only_be_read_is_unavailable) {
  state.reset();
  std::filesystem::permissions(file, static_cast<std::filesystem::perms>(0444));
  std::filesystem::permissions(directory.path(), static_cast<std::filesystem::perms>(0555));
  become_nobody();
  const auto opened = State::open(file);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::unavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("writable"));
}

// As a full disk, for this process alone: no file may grow beyond `bytes`.
class NoRoom {
 public:
  explicit NoRoom(std::uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~NoRoom() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  NoRoom(const NoRoom&) = delete;
  NoRoom& operator=(const NoRoom&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

class DiskFull : public StateTest {};

TEST_F(DiskFull, applying_is_unavailable_reading_goes_on_and_there_is_nothing_to_repair_when_there_is_room) {
  done(commands.publish(kKey, "a: 1\n"));
  const std::string sum = checksum();
  const std::string large(1 << 20, 'x');
  {
    const NoRoom no_room(std::filesystem::file_size(file.string() + "-wal") + 4096);
    std::optional<Error> error;
    for (int i = 0; i < 40 && !error; ++i) {  // more than the page cache holds back
      const auto command = commands.publish("prod/shop/default/large-" + std::to_string(i), large, "text");
      if (auto answer = state->apply(index_ + 1 + static_cast<Index>(i), command.SerializeAsString()); !answer)
        error = answer.error();
    }
    if (!error) {
      auto changes = state->commit();
      ASSERT_FALSE(changes);
      error = changes.error();
    }
    EXPECT_EQ(error->code, Code::unavailable) << error->message;
    EXPECT_THAT(error->message, HasSubstr("full"));
    state->roll_back();
    EXPECT_EQ(release(kKey)->content, "a: 1\n");
    EXPECT_EQ(checksum(), sum);
    EXPECT_EQ(queries.configs({}, {}, {}).value().items.size(), 1u);
    EXPECT_EQ(state->position().applied, 2);

    ASSERT_TRUE(state->apply(index_ + 1, commands.publish(kKey, large, "text").SerializeAsString()));
    EXPECT_EQ(state->commit().error().code, Code::unavailable);
    state->roll_back();
    EXPECT_EQ(checksum(), sum);
  }
  EXPECT_EQ(done(commands.publish(kKey, "a: 2\n")).published(0).version(), 2);
  reopen();
  EXPECT_EQ(release(kKey)->content, "a: 2\n");
}

TEST_F(DiskFull, a_restore_without_room_leaves_the_old_state) {
  done(commands.publish(kKey, "a: 1\n"));
  const std::string sum = checksum();
  const TempDirectory elsewhere;
  ASSERT_TRUE(state->begin_snapshot().value()->write(elsewhere.path() / "snapshot"));
  {
    const NoRoom no_room(4096);
    const auto restored = state->restore(elsewhere.path() / "snapshot");
    ASSERT_FALSE(restored);
  }
  EXPECT_EQ(checksum(), sum);
  done(commands.publish(kKey, "a: 2\n"));
}

}  // namespace
}  // namespace cc::state
