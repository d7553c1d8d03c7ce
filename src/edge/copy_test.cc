#include "edge/copy.h"

#include <condition_variable>
#include <list>
#include <mutex>

#include "edge/filling.h"
#include "edge/redis_fixture.h"
#include "state/state_test.h"

namespace cc::edge {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kKey = "prod/shop/default/application.yaml";
constexpr auto kOther = "prod/shop/default/other.yaml";

// A state, a Redis, and as many leaders as a test has.
class ACopy : public state::StateTest {
 protected:
  struct Leader {
    Leader(ACopy& test, std::uint64_t term)
        : copy(test.servers, test.keys,
               {.state_file = test.file,
                .committed = test.committed,
                .catch_up = [&test] { return test.caught_up.load(); }},
               status, test.clock),
          thread([this, term](const std::stop_token& stop) { copy.run(stop, term); }) {}
    Status status;
    Copy copy;
    std::jthread thread;
  };
  Leader& lead(std::uint64_t term = 1) { return leaders.emplace_back(*this, term); }

  void publish(const std::string& key, const std::string& content) {
    done(commands.publish(key, content));
    committed.ring();
  }
  void remove(const std::string& key) {
    done(commands.remove(key));
    committed.ring();
  }

  std::string content(const std::string& key) { return redis.ask({"GET", keys.content(key)})->text; }
  MaybePosition position() { return read_position(redis, keys).value(); }
  // The copy has everything.
  void settle() {
    wait_until([&] { return position() && position()->revision == revision(); });
  }
  static void wait_until(const std::function<bool()>& true_now) {
    for (int i = 0; i < 6000 && !true_now(); ++i)
      std::this_thread::sleep_for(5ms);
    ASSERT_TRUE(true_now());
  }

  // What a subscriber is told, of changes alone, up to the one of `last`.
  static std::vector<std::string> messages_until(Redis& subscriber, const std::string& last) {
    std::vector<std::string> told;
    while (told.empty() || !told.back().contains(last)) {
      // Whatever is asked while subscribed, messages stand among the answers.
      const auto reply = subscriber.ask({"PING"});
      if (!reply) break;
      if (reply->items.size() == 3 && reply->items[0].text == "message") told.push_back(reply->items[2].text);
    }
    return told;
  }

  SystemClock clock;
  RedisServer server;
  Redis redis = server.connect().value();
  Servers servers{.address = server.address()};
  Keys keys{"test:"};
  Bell committed;
  std::atomic<bool> caught_up = true;
  std::list<Leader> leaders;
};

TEST_F(ACopy, is_filled_with_what_is_published_and_goes_on_with_each_change) {
  publish(kKey, "a: 1\n");
  publish(kOther, "b: 1\n");
  remove(kOther);
  lead();
  settle();
  EXPECT_EQ(content(kKey), "a: 1\n");
  EXPECT_EQ(redis.ask({"EXISTS", keys.content(kOther), keys.meta(kOther)})->number, 0);
  publish(kKey, "a: 2\n");
  settle();
  EXPECT_EQ(content(kKey), "a: 2\n");
  EXPECT_EQ(redis.ask({"HGET", keys.meta(kKey), "version"})->text, "2");
  remove(kKey);
  settle();
  EXPECT_EQ(redis.ask({"EXISTS", keys.content(kKey), keys.meta(kKey)})->number, 0);
}

TEST_F(ACopy, says_of_a_secret_config_that_it_is_there_and_nothing_of_what_is_in_it) {
  const auto publish_secret = [&](const std::string& key) {
    auto command = commands.publish(key, "pin: 1234\n");
    command.mutable_publish_configs()->mutable_configs(0)->set_secret(true);
    done(command);
    committed.ring();
  };
  const auto is_hidden = [&](const std::string& key) {
    EXPECT_EQ(redis.ask({"EXISTS", keys.content(key)})->number, 0);
    EXPECT_EQ(redis.ask({"HMGET", keys.meta(key), "md5", "sha256", "size"})->items[0].text, "");
    std::vector<std::string> fields;
    for (const Reply& field : redis.ask({"HKEYS", keys.meta(key)})->items)
      fields.push_back(field.text);
    EXPECT_THAT(fields,
                testing::UnorderedElementsAre("version", "revision", "format", "time", "author", "comment", "secret"));
  };
  publish_secret(kKey);
  lead();
  settle();
  is_hidden(kKey);  // filled

  publish(kOther, "a: 1\n");
  settle();
  EXPECT_EQ(content(kOther), "a: 1\n");
  Redis subscriber = server.connect().value();
  ASSERT_TRUE(subscriber.ask({"SUBSCRIBE", keys.changes()}));
  publish_secret(kOther);  // what stood there goes
  settle();
  is_hidden(kOther);
  EXPECT_THAT(messages_until(subscriber, kOther),
              ElementsAre(fmt::format(R"({{"key":"{}","revision":{},"version":2,"deleted":false,"secret":true}})",
                                      kOther, revision())));

  auto command = commands.publish(kOther, "a: 2\n");
  command.mutable_publish_configs()->mutable_configs(0)->set_secret(false);
  done(command);
  committed.ring();
  settle();
  EXPECT_EQ(content(kOther), "a: 2\n");
  EXPECT_EQ(redis.ask({"HEXISTS", keys.meta(kOther), "secret"})->number, 0);
}

TEST_F(ACopy, is_written_once_whoever_believes_to_lead) {
  lead(1);
  settle();
  lead(2);
  Redis subscriber = server.connect().value();
  ASSERT_TRUE(subscriber.ask({"SUBSCRIBE", keys.changes()}));
  std::vector<std::string> expected;
  for (int i = 0; i < 200; ++i) {
    publish(i % 2 == 0 ? kKey : kOther, "n: " + std::to_string(i) + "\n");
    expected.push_back(fmt::format(R"({{"key":"{}","revision":{},"version":{},"deleted":false}})",
                                   i % 2 == 0 ? kKey : kOther, revision(), i / 2 + 1));
  }
  EXPECT_EQ(messages_until(subscriber, fmt::format("\"revision\":{},", revision())), expected);
  settle();
  EXPECT_EQ(content(kKey), "n: 198\n");
  EXPECT_EQ(content(kOther), "n: 199\n");
}

TEST_F(ACopy, is_filled_by_the_newer_of_two_leaders) {
  publish(kKey, "a: 1\n");
  const state::Feed feed(file);
  ASSERT_TRUE(redis.ask({"SET", keys.filling(), "7 of another"}));
  const auto older = fill(redis, keys, feed, std::nullopt, 6, clock, {});
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, Code::conflict);
  EXPECT_EQ(content(kKey), "");
  const auto newer = fill(redis, keys, feed, std::nullopt, 8, clock, {});
  ASSERT_TRUE(newer) << newer.error().message;
  EXPECT_EQ(content(kKey), "a: 1\n");
  EXPECT_EQ(position(), *newer);
  EXPECT_FALSE(fill(redis, keys, feed, std::nullopt, 9, clock, {})) << "there is a copy now";
}

TEST_F(ACopy, that_is_further_than_this_state_is_believed_until_the_state_has_caught_up) {
  publish(kKey, "a: 1\n");
  caught_up = false;
  ASSERT_TRUE(redis.ask({"SET", keys.content(kKey), "of a leader that knew more"}));
  add_write_position(redis, keys,
                     {.cluster_id = state::Feed(file).read({}, {}, {})->cluster_id,
                      .release = 50,
                      .release_revision = 50,
                      .revision = 50});
  ASSERT_TRUE(redis.exchange());
  Leader& leader = lead();
  wait_until([&] { return leader.status.read().trouble.contains("does not know yet"); });
  EXPECT_EQ(content(kKey), "of a leader that knew more");
  caught_up = true;
  settle();
  EXPECT_EQ(content(kKey), "a: 1\n") << "of another history, then";
}

TEST_F(ACopy, of_another_cluster_is_left_alone) {
  publish(kKey, "a: 1\n");
  add_write_position(redis, keys, {.cluster_id = "another", .release = 1, .release_revision = 1, .revision = 1});
  ASSERT_TRUE(redis.exchange());
  Leader& leader = lead();
  wait_until([&] { return !leader.status.read().trouble.empty(); });
  EXPECT_THAT(leader.status.read().trouble, HasSubstr("copy of another cluster"));
  EXPECT_EQ(redis.ask({"DBSIZE"})->number, 1);
}

TEST_F(ACopy, that_went_back_is_written_again_from_there) {
  Leader& leader = lead();
  publish(kKey, "a: 1\n");
  settle();
  const Position before = *position();
  publish(kKey, "a: 2\n");
  publish(kOther, "b: 1\n");
  settle();
  redis.begin();  // as a replica that had not heard of the last two
  redis.add({"SET", keys.content(kKey), "a: 1\n"});
  redis.add({"DEL", keys.content(kOther), keys.meta(kOther)});
  add_write_position(redis, keys, before);
  ASSERT_TRUE(redis.commit().value());
  settle();
  EXPECT_EQ(content(kKey), "a: 2\n");
  EXPECT_EQ(content(kOther), "b: 1\n");
  EXPECT_EQ(leader.status.read().went_back, 1u);
}

TEST_F(ACopy, takes_away_only_what_is_its_own_whatever_its_prefix_is) {
  keys = Keys{"a*[b]?\\:"};
  for (const std::string& left :
       {keys.content(kOther), keys.meta(kOther), keys.prefix + "else", std::string("ax[b]y\\:content:z")})
    ASSERT_TRUE(redis.ask({"SET", left, "left"}));
  publish(kKey, "a: 1\n");
  lead();
  settle();
  EXPECT_EQ(redis.ask({"EXISTS", keys.content(kOther), keys.meta(kOther)})->number, 0);
  EXPECT_EQ(redis.ask({"EXISTS", keys.content(kKey), keys.prefix + "else", "ax[b]y\\:content:z"})->number, 3);
}

TEST_F(ACopy, is_whole_however_much_is_published) {
  for (int i = 0; i < 1200; ++i)
    done(commands.publish(fmt::format("prod/shop/default/{}.txt", i), std::string(3000, 'x') + std::to_string(i),
                          "text"));
  lead();
  settle();
  EXPECT_EQ(redis.ask({"DBSIZE"})->number, 2 * 1200 + 1);
  EXPECT_TRUE(content("prod/shop/default/1199.txt").ends_with("x1199"));
}

}  // namespace
}  // namespace cc::edge
