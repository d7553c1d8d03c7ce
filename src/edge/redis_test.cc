#include "edge/redis.h"

#include "edge/primary.h"
#include "edge/redis_fixture.h"

namespace cc::edge {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ARedis : public testing::Test {
 protected:
  SystemClock clock;
  RedisServer server;
  Redis redis = server.connect().value();
};

TEST_F(ARedis, answers_with_what_was_put_there_byte_for_byte) {
  const std::string bytes("a\0b\r\n\xff", 6);
  ASSERT_TRUE(redis.ask({"SET", "key", bytes}));
  EXPECT_EQ(redis.ask({"GET", "key"})->text, bytes);
  EXPECT_EQ(redis.ask({"GET", "none"})->kind, Reply::Kind::nothing);
  EXPECT_EQ(redis.ask({"INCRBY", "n", "-7"})->number, -7);
  ASSERT_TRUE(redis.ask({"SET", "empty", std::string_view()}));
  EXPECT_EQ(redis.ask({"GET", "empty"})->kind, Reply::Kind::text);
}

TEST_F(ARedis, takes_many_commands_at_once_and_answers_in_order_however_large_they_are) {
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 20; ++i)
    redis.add({"ECHO", std::to_string(i) + large});
  const auto replies = redis.exchange();
  ASSERT_TRUE(replies) << replies.error().message;
  ASSERT_EQ(replies->size(), 20u);
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(replies->at(static_cast<std::size_t>(i)).text.starts_with(std::to_string(i) + "x"));
}

TEST_F(ARedis, says_which_server_refused_what) {
  const auto refused = redis.ask({"INCR"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr(to_string(server.address()) + ": ERR wrong number"));
  EXPECT_TRUE(redis.ask({"PING"})) << "the connection is still of use";
}

TEST_F(ARedis, does_a_transaction_whole_or_not_at_all) {
  ASSERT_TRUE(redis.ask({"WATCH", "watched"}));
  ASSERT_TRUE(server.connect()->ask({"SET", "watched", "by another"}));
  redis.begin();
  redis.add({"SET", "mine", "1"});
  EXPECT_FALSE(redis.commit().value()) << "somebody else has changed it";
  EXPECT_EQ(redis.ask({"EXISTS", "mine"})->number, 0);

  redis.begin();
  redis.add({"SET", "mine", "1"});
  EXPECT_TRUE(redis.commit().value());

  redis.begin();
  redis.add({"SET"});
  EXPECT_THAT(redis.commit().error().message, HasSubstr("wrong number of arguments"));
  redis.begin();
  redis.add({"HSET", "mine", "is", "no hash"});
  EXPECT_THAT(redis.commit().error().message, HasSubstr("WRONGTYPE"));
}

TEST_F(ARedis, that_does_not_answer_is_not_waited_for_beyond_the_time) {
  Redis hasty = server.connect({.clock = clock, .each = 100ms}).value();
  server.signal(SIGSTOP);
  EXPECT_THAT(hasty.ask({"PING"}).error().message, HasSubstr("does not answer in time"));
  server.signal(SIGCONT);
}

TEST_F(ARedis, is_waited_for_no_longer_than_somebody_needs_it) {
  std::stop_source stop;
  Redis patient = server.connect({.clock = clock, .stop = stop.get_token(), .each = 1h}).value();
  server.signal(SIGSTOP);
  std::jthread stops([&] { stop.request_stop(); });
  EXPECT_THAT(patient.ask({"PING"}).error().message, HasSubstr("no longer needed"));
  server.signal(SIGCONT);
}

TEST_F(ARedis, that_is_gone_is_told) {
  server.kill();
  EXPECT_FALSE(redis.ask({"PING"}));
  EXPECT_THAT(server.connect().error().message, HasSubstr("Connection refused"));
}

TEST_F(ARedis, is_the_primary_when_it_says_so_itself) {
  const Servers alone{.address = server.address()};
  auto found = find_primary(alone, {.clock = clock});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(still_primary(found->redis, alone, {.clock = clock}));

  ASSERT_TRUE(redis.ask({"REPLICAOF", "127.0.0.1", "1"}));
  EXPECT_THAT(still_primary(found->redis, alone, {.clock = clock}).error().message, HasSubstr("is no primary"));
  EXPECT_FALSE(find_primary(alone, {.clock = clock}));
}

TEST_F(ARedis, is_not_found_where_no_sentinel_answers_and_each_is_named) {
  const Servers servers{.address = {}, .sentinels = {{"127.0.0.1", 1}, server.address()}, .sentinel_primary = "main"};
  EXPECT_THAT(find_primary(servers, {.clock = clock}).error().message,
              testing::AllOf(HasSubstr("127.0.0.1:1: Connection refused"), HasSubstr(to_string(server.address()))));
}

TEST(ARedisWithAPassword, lets_in_who_knows_it) {
  const SystemClock clock;
  std::vector<std::string> with_password{"--requirepass", "sesame"};
  RedisServer server(with_password);
  EXPECT_TRUE(Redis::connect(server.address(), "sesame", {.clock = clock}));
  EXPECT_THAT(Redis::connect(server.address(), "open", {.clock = clock}).error().message, HasSubstr("cache.password"));
  EXPECT_THAT(find_primary({.address = server.address()}, {.clock = clock}).error().message,
              HasSubstr("cache.password"));
}

}  // namespace
}  // namespace cc::edge
