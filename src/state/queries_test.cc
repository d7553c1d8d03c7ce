#include <array>
#include <latch>
#include <random>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"
#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Lists : public StateTest {
 protected:
  void publish_all(std::initializer_list<const char*> keys) {
    for (const char* each : keys)
      apply(commands.publish(each, std::string("content of ") + each, "text"));
    commit();
  }
  // All pages, put together, and how many there were.
  template <class Ask>
  std::vector<std::string> all(std::size_t limit, const Ask& ask, std::size_t* pages = nullptr) {
    std::vector<std::string> names;
    PageRequest request{.limit = limit};
    for (std::size_t count = 1;; ++count) {
      const auto page = ask(request);
      EXPECT_TRUE(page) << page.error().message;
      if (!page) return names;
      EXPECT_LE(page->items.size(), limit);
      for (const auto& item : page->items) {
        if constexpr (requires { item.key; }) {
          names.push_back(item.key);
        } else {
          names.push_back(item.name);
        }
      }
      if (pages != nullptr) *pages = count;
      if (page->next.empty()) return names;
      request.cursor = page->next;
    }
  }
  std::vector<std::string> configs(const ConfigFilter& filter, std::size_t limit = 1000, const Visible& visible = {},
                                   std::size_t* pages = nullptr) {
    return all(limit, [&](const PageRequest& page) { return queries.configs(filter, page, visible); }, pages);
  }
};

TEST_F(Lists, are_filtered_by_each_part_of_the_key) {
  publish_all({"dev/mail/default/a.txt", "dev/shop/default/a.txt", "prod/shop/beijing/a.txt", "prod/shop/default/a.txt",
               "prod/shop/default/db/a.txt", "prod/shop/default/db/b.txt", "prod/shop2/default/a.txt"});
  EXPECT_THAT(configs({}), SizeIs(7));
  EXPECT_THAT(configs({.environment = "dev"}), ElementsAre("dev/mail/default/a.txt", "dev/shop/default/a.txt"));
  EXPECT_THAT(configs({.application = "shop"}), SizeIs(5));
  EXPECT_THAT(configs({.cluster = "beijing"}), ElementsAre("prod/shop/beijing/a.txt"));
  EXPECT_THAT(configs({.environment = "prod", .application = "shop"}), SizeIs(4));
  EXPECT_THAT(configs({.environment = "prod", .application = "shop", .cluster = "default"}), SizeIs(3));
  EXPECT_THAT(configs({.environment = "prod", .application = "shop", .cluster = "default", .prefix = "db/"}),
              ElementsAre("prod/shop/default/db/a.txt", "prod/shop/default/db/b.txt"));
  EXPECT_THAT(configs({.environment = "prod", .application = "shop", .cluster = "default", .prefix = "db/a.txt"}),
              ElementsAre("prod/shop/default/db/a.txt"));
  EXPECT_THAT(configs({.environment = "prod", .prefix = "db"}), SizeIs(2));
  EXPECT_THAT(configs({.environment = "pro"}), IsEmpty());
}

TEST_F(Lists, are_searched_in_keys_or_in_content) {
  apply(commands.publish("dev/shop/default/jdbc.yaml", "url: none\n"));
  apply(commands.publish("dev/shop/default/app.yaml", "url: jdbc:mysql\n"));
  apply(commands.publish("dev/shop/default/中文.yaml", "说明: 数据库\n"));
  commit();
  EXPECT_THAT(configs({.text = "jdbc"}), ElementsAre("dev/shop/default/jdbc.yaml"));
  EXPECT_THAT(configs({.text = "jdbc", .in_content = true}), ElementsAre("dev/shop/default/app.yaml"));
  EXPECT_THAT(configs({.text = "数据", .in_content = true}), ElementsAre("dev/shop/default/中文.yaml"));
  EXPECT_THAT(configs({.text = "shop/def"}), SizeIs(3));
  EXPECT_THAT(configs({.text = "%"}), IsEmpty());
}

TEST_F(Lists, say_what_is_published_now_and_leave_out_what_was_deleted) {
  done(commands.publish("dev/shop/default/a.txt", "1", "text"));
  done(commands.publish("dev/shop/default/a.txt", "22", "text"));
  done(commands.publish("dev/shop/default/b.txt", "x", "text"));
  done(commands.remove("dev/shop/default/b.txt"));
  const auto page = queries.configs({}, {}, {}).value();
  ASSERT_THAT(page.items, SizeIs(1));
  EXPECT_EQ(page.items[0].version, 2);
  EXPECT_EQ(page.items[0].size, 2);
  EXPECT_EQ(page.items[0].sha256, sha256_hex("22"));
  EXPECT_EQ(page.items[0].author, "wang");
}

TEST_F(Lists, come_whole_in_pages_of_any_size) {
  std::vector<std::string> keys;
  for (int i = 0; i < 23; ++i)
    keys.push_back("dev/shop/default/" + std::to_string(i));
  for (const auto& each : keys)
    apply(commands.publish(each, "x", "text"));
  commit();
  std::ranges::sort(keys);
  for (const std::size_t limit : {1u, 2u, 7u, 22u, 23u, 24u, 1000u}) {
    std::size_t pages = 0;
    EXPECT_EQ(configs({}, limit, {}, &pages), keys) << limit;
    EXPECT_EQ(pages, (23 + limit - 1) / limit) << limit;
  }
}

TEST_F(Lists, hide_what_the_caller_may_not_see_without_breaking_pages) {
  for (int i = 0; i < 50; ++i)
    apply(commands.publish("dev/app" + std::to_string(i % 5) + "/default/" + std::to_string(i), "x", "text"));
  commit();
  const Visible one = [](const ConfigKey& each) { return each.application == "app3"; };
  std::size_t pages = 0;
  const auto seen = configs({}, 5, one, &pages);
  EXPECT_THAT(seen, SizeIs(10));
  EXPECT_EQ(pages, 2);
  for (const auto& each : seen)
    EXPECT_TRUE(each.starts_with("dev/app3/")) << each;
  EXPECT_THAT(configs({}, 5, [](const ConfigKey&) { return false; }, &pages), IsEmpty());
  EXPECT_EQ(pages, 1);
}

TEST_F(Lists, refuse_limits_and_cursors_that_are_none) {
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1001}})
    EXPECT_EQ(queries.configs({}, {.limit = limit}, {}).error().code, Code::invalid_argument);
  for (const char* cursor : {"x", "!!!!", "a2V5IQ=="}) {
    EXPECT_EQ(queries.configs({}, {.cursor = cursor}, {}).error().code, Code::invalid_argument) << cursor;
    EXPECT_EQ(queries.audit({}, {.cursor = cursor}).error().code, Code::invalid_argument) << cursor;
  }
}

TEST_F(Lists, go_on_where_they_were_although_configs_come_and_go) {
  publish_all({"dev/shop/default/a", "dev/shop/default/c", "dev/shop/default/e"});
  const auto first = queries.configs({}, {.limit = 2}, {}).value();
  done(commands.remove("dev/shop/default/c"));
  publish_all({"dev/shop/default/b", "dev/shop/default/d"});
  const auto second = queries.configs({}, {.limit = 2, .cursor = first.next}, {}).value();
  ASSERT_THAT(second.items, SizeIs(2));
  EXPECT_EQ(second.items[0].key, "dev/shop/default/d");
  EXPECT_EQ(second.items[1].key, "dev/shop/default/e");
}

TEST_F(Lists, of_drafts_leave_content_out) {
  done(commands.save_draft("dev/shop/default/a.json", "{}", "json"));
  done(commands.save_draft("dev/shop/default/b.txt", "hello", "text"));
  done(commands.save_draft("prod/shop/default/b.txt", "hello", "text"));
  const auto page = queries.drafts({.environment = "dev"}, {}, {}).value();
  ASSERT_THAT(page.items, SizeIs(2));
  EXPECT_EQ(page.items[0].key, "dev/shop/default/a.json");
  EXPECT_EQ(page.items[0].format, Format::json);
  EXPECT_EQ(page.items[0].content, "");
  EXPECT_EQ(page.items[0].size, 2);
  EXPECT_EQ(page.items[1].md5, md5_hex("hello"));
  const auto hidden = [](const ConfigKey& each) { return each.environment == "prod"; };
  EXPECT_THAT(all(1, [&](const PageRequest& request) { return queries.drafts({}, request, hidden); }),
              ElementsAre("prod/shop/default/b.txt"));
}

TEST_F(Lists, of_applications_are_paged) {
  publish_all({"dev/c/default/x", "dev/a/default/x", "dev/b/default/x"});
  EXPECT_THAT(all(2, [&](const PageRequest& page) { return queries.applications(page); }), ElementsAre("a", "b", "c"));
  EXPECT_EQ(queries.application("d").error().code, Code::not_found);
}

TEST_F(Lists, of_clusters_are_filtered) {
  publish_all({"dev/a/default/x", "dev/a/beijing/x", "prod/a/default/x", "prod/b/default/x"});
  EXPECT_THAT(queries.clusters("", "").value(), SizeIs(4));
  EXPECT_THAT(queries.clusters("dev", "").value(), SizeIs(2));
  EXPECT_THAT(queries.clusters("", "a").value(), SizeIs(3));
  EXPECT_THAT(queries.clusters("prod", "b").value(), SizeIs(1));
}

class History : public StateTest {};

TEST_F(History, is_newest_first_with_deletions_and_rollbacks) {
  const std::string name = "dev/shop/default/a.txt";
  done(commands.publish(name, "1", "text"));
  done(commands.publish(name, "2", "text"));
  auto removal = commands.remove(name);
  removal.mutable_delete_config()->set_comment("away");
  done(removal);
  done(commands.roll_back(name, 1));
  done(commands.publish("dev/shop/default/b.txt", "other", "text"));

  const auto items = queries.history(key(name), {}).value().items;
  ASSERT_THAT(items, SizeIs(4));
  EXPECT_EQ(items[0].version, 3);
  EXPECT_EQ(items[0].rolled_back_from, 1);
  EXPECT_FALSE(items[0].deleted);
  EXPECT_TRUE(items[1].deleted);
  EXPECT_EQ(items[1].version, 2);
  EXPECT_EQ(items[1].comment, "away");
  EXPECT_EQ(items[2].version, 2);
  EXPECT_FALSE(items[2].rolled_back_from);
  EXPECT_EQ(items[3].version, 1);
  EXPECT_EQ(items[3].key, name);
}

TEST_F(History, comes_in_pages_and_is_not_found_of_what_never_was) {
  const std::string name = "dev/shop/default/a.txt";
  for (int i = 1; i <= 12; ++i)
    apply(commands.publish(name, std::to_string(i), "text"));
  commit();
  std::vector<Version> versions;
  PageRequest page{.limit = 5};
  do {
    const auto got = queries.history(key(name), page).value();
    for (const auto& item : got.items)
      versions.push_back(item.version);
    page.cursor = got.next;
  } while (!page.cursor.empty());
  EXPECT_THAT(versions, ElementsAre(12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1));
  EXPECT_EQ(queries.history(key("dev/shop/default/none"), {}).error().code, Code::not_found);
}

TEST_F(History, gives_any_release_with_its_content) {
  const std::string name = "dev/shop/default/a.txt";
  done(commands.publish(name, "1", "text"));
  done(commands.publish(name, "2", "text"));
  done(commands.remove(name));
  const auto release = queries.release(key(name), 1).value();
  EXPECT_EQ(release->content, "1");
  EXPECT_EQ(release->key_text, name);
  EXPECT_EQ(queries.release(key(name), 2).value()->content, "2");
  EXPECT_FALSE(queries.release(key(name), 2).value()->deleted);
  EXPECT_EQ(queries.release(key(name), 3).error().code, Code::not_found);
  EXPECT_EQ(queries.release(key("dev/shop/default/none"), 1).error().code, Code::not_found);
}

class BoundedHistory : public StateTest {
 protected:
  BoundedHistory() : StateTest({.keep_versions = 3, .keep_audited_changes = 5, .keep_audited_attempts = 3}) {}

  log::Command attempts(int count) {
    auto command = commands.make();
    for (int i = 1; i <= count; ++i) {
      auto& one = *command.mutable_record_audit()->add_records();
      one.set_action("config.publish");
      one.set_target(std::to_string(i));
      one.set_outcome("permission_denied");
    }
    return command;
  }
};

TEST_F(BoundedHistory, keeps_the_newest_versions_of_each_config) {
  const std::string name = "dev/shop/default/a.txt";
  done(commands.publish("dev/shop/default/b.txt", "other", "text"));
  for (int i = 1; i <= 5; ++i)
    done(commands.publish(name, std::to_string(i), "text"));
  done(commands.remove(name));
  EXPECT_EQ(done(commands.publish(name, "6", "text")).published(0).version(), 6);

  std::vector<Version> versions;
  for (const auto& item : queries.history(key(name), {}).value().items)
    versions.push_back(item.version);
  EXPECT_THAT(versions, ElementsAre(6, 5, 5, 4));  // one of them the deletion
  EXPECT_EQ(queries.release(key(name), 3).error().code, Code::not_found);
  EXPECT_THAT(run(commands.roll_back(name, 3)), IsRefused(Code::not_found));
  EXPECT_EQ(queries.release(key(name), 4).value()->content, "4");
  EXPECT_THAT(queries.history(key("dev/shop/default/b.txt"), {}).value().items, SizeIs(1));
  reopen();
  EXPECT_EQ(done(commands.publish(name, "7", "text")).published(0).version(), 7);
}

TEST_F(BoundedHistory, keeps_the_newest_audit_records) {
  for (int i = 1; i <= 9; ++i)
    done(commands.publish("dev/shop/default/a.txt", std::to_string(i), "text"));
  EXPECT_THAT(audit(), SizeIs(5));
  EXPECT_EQ(audit()[0].revision, revision());
  EXPECT_EQ(queries.counts().value().audit_records, 5);
  reopen();
  done(commands.remove("dev/shop/default/a.txt"));
  EXPECT_THAT(audit(), SizeIs(5));
  EXPECT_EQ(audit()[0].action, "config.delete");
}

TEST_F(BoundedHistory, forgets_no_change_for_what_was_merely_attempted) {
  const auto published = done(commands.publish("dev/shop/default/a.txt", "1", "text"));
  for (int i = 0; i < 4; ++i)
    done(attempts(5));
  run(commands.remove("dev/shop/default/none.txt"));  // refused when it was applied
  EXPECT_EQ(audit({.outcome = "done"}).at(0).revision, published.revision());
  std::vector<std::string> kept;
  for (const AuditRecord& record : audit())
    if (record.outcome != "done") kept.push_back(record.target);
  EXPECT_THAT(kept, ElementsAre("dev/shop/default/none.txt", "5", "4"));
  EXPECT_EQ(queries.counts().value().audit_records, audit().size());
  reopen();
  done(attempts(1));
  EXPECT_EQ(audit().at(0).target, "1");
  EXPECT_EQ(queries.counts().value().audit_records, audit().size());
}

TEST_F(BoundedHistory, forgets_no_attempt_for_changes) {
  done(attempts(3));
  for (int i = 1; i <= 9; ++i)
    done(commands.publish("dev/shop/default/a.txt", std::to_string(i), "text"));
  EXPECT_THAT(audit({.outcome = "permission_denied"}), SizeIs(3));
}

class AuditQueries : public StateTest {};

TEST_F(AuditQueries, are_filtered_by_who_what_where_outcome_and_time) {
  auto command = commands.publish("dev/shop/default/a.txt", "1", "text");
  command.set_actor("li");
  done(command);
  const Wall then{std::chrono::milliseconds(command.time_ms())};
  done(commands.publish("dev/mail/default/a.txt", "1", "text"));
  run(commands.remove("dev/mail/default/none.txt"));

  EXPECT_THAT(audit({.actor = "li", .action = "config.publish"}), SizeIs(1));
  EXPECT_THAT(audit({.action = "config.publish"}), SizeIs(2));
  EXPECT_THAT(audit({.target_prefix = "dev/mail/default/"}), SizeIs(2));
  EXPECT_THAT(audit({.target_prefix = "dev/mail/%"}), IsEmpty());
  EXPECT_THAT(audit({.outcome = "not_found"}), SizeIs(1));
  EXPECT_THAT(audit({.action = "config.publish", .from = then + std::chrono::milliseconds(1)}), SizeIs(1));
  EXPECT_THAT(audit({.action = "config.publish", .from = then}), SizeIs(2));
  EXPECT_THAT(audit({.action = "config.publish", .to = then}), IsEmpty());
}

TEST_F(AuditQueries, come_in_pages_newest_first) {
  for (int i = 0; i < 7; ++i)
    apply(commands.publish("dev/shop/default/a.txt", std::to_string(i), "text"));
  commit();
  std::vector<Revision> revisions;
  PageRequest page{.limit = 3};
  do {
    const auto got = queries.audit({.action = "config.publish"}, page).value();
    for (const auto& item : got.items)
      revisions.push_back(item.revision);
    page.cursor = got.next;
  } while (!page.cursor.empty());
  EXPECT_THAT(revisions, ElementsAre(8, 7, 6, 5, 4, 3, 2));
}

TEST_F(AuditQueries, of_changes_and_attempts_come_in_one_order) {
  for (int i = 0; i < 4; ++i) {
    done(commands.publish("dev/shop/default/a.txt", std::to_string(i), "text"));
    run(commands.remove("dev/shop/default/none.txt"));
  }
  std::vector<std::uint64_t> ids;
  std::vector<std::string> outcomes;
  PageRequest page{.limit = 3};
  do {
    const auto got = queries.audit({.target_prefix = "dev/shop/default/"}, page).value();
    for (const auto& item : got.items) {
      ids.push_back(item.id);
      outcomes.push_back(item.outcome);
    }
    page.cursor = got.next;
  } while (!page.cursor.empty());
  EXPECT_THAT(outcomes,
              ElementsAre("not_found", "done", "not_found", "done", "not_found", "done", "not_found", "done"));
  EXPECT_TRUE(std::ranges::is_sorted(ids, std::ranges::greater_equal{}));
}

TEST_F(StateTest, counts_say_how_many_there_are) {
  done(commands.publish("dev/shop/default/a.txt", "1", "text"));
  done(commands.publish("dev/shop/default/a.txt", "2", "text"));
  done(commands.publish("dev/shop/default/b.txt", "2", "text"));
  done(commands.remove("dev/shop/default/b.txt"));
  done(commands.save_draft("dev/shop/default/c.txt", "2", "text"));
  const auto counts = queries.counts().value();
  EXPECT_EQ(counts.environments, 3);
  EXPECT_EQ(counts.applications, 1);
  EXPECT_EQ(counts.releases, 4);
  EXPECT_EQ(counts.drafts, 1);
  EXPECT_EQ(counts.users, 1);
  EXPECT_EQ(counts.keys, 0);
  EXPECT_EQ(counts.audit_records, audit().size());
}

TEST_F(StateTest, queries_run_on_many_threads_while_commands_are_applied) {
  const auto before = queries.counts().value();
  std::atomic<bool> stop = false;
  std::vector<std::jthread> askers;
  for (int i = 0; i < 8; ++i) {  // more than there are connections
    askers.emplace_back([&] {
      while (!stop) {
        const auto counts = queries.counts();
        ASSERT_TRUE(counts) << counts.error().message;
        ASSERT_EQ(counts->releases % 10, 0);                            // each batch as a whole
        const std::uint64_t of_places = counts->releases == 0 ? 0 : 2;  // the application and the cluster
        ASSERT_EQ(counts->audit_records, before.audit_records + of_places + counts->releases);
      }
    });
  }
  for (int batch = 0; batch < 20; ++batch) {
    for (int i = 0; i < 10; ++i)
      apply(commands.publish("dev/shop/default/" + std::to_string(10 * batch + i), "x", "text"));
    commit();
  }
  stop = true;
}

// Against a model that is too simple to be wrong: names around '/' in order, long runs of what is not meant.
TEST_F(Lists, find_what_a_naive_model_finds) {
  std::mt19937 random(3);
  const auto any = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
  constexpr std::array kParts{"a", "a-b", "a.b", "a0", "b", "ab"};
  constexpr std::array kEnvironments{"dev", "staging", "prod"};
  std::set<std::string> keys;
  for (int i = 0; i < 1'500; ++i) {
    keys.insert(
        fmt::format("{}/{}/{}/{}", kEnvironments[any(3)], kParts[any(6)], kParts[any(6)],
                    any(3) == 0 ? fmt::format("{}/{}", kParts[any(6)], i) : fmt::format("{}{}", kParts[any(6)], i)));
  }
  for (const auto& each : keys) {
    apply(commands.publish(each, "x", "text"));
    apply(commands.save_draft(each, "x", "text"));
  }
  commit();
  for (int round = 0; round < 300; ++round) {
    ConfigFilter filter;
    if (any(3) == 0) filter.environment = kEnvironments[any(3)];
    if (any(2) == 0) filter.application = kParts[any(6)];
    if (any(2) == 0) filter.cluster = kParts[any(6)];
    if (any(2) == 0) filter.prefix = kParts[any(6)];
    if (any(4) == 0) filter.text = kParts[any(6)];
    std::vector<std::string> expected;
    std::ranges::copy_if(keys, std::back_inserter(expected), [&](const std::string& each) {
      const ConfigKey parts = key(each);
      const auto is = [](const std::string& wanted, const std::string& part) {
        return wanted.empty() || wanted == part;
      };
      return is(filter.environment, parts.environment) && is(filter.application, parts.application) &&
             is(filter.cluster, parts.cluster) && parts.name.starts_with(filter.prefix) && each.contains(filter.text);
    });
    const std::size_t limit = 1 + any(100);
    ASSERT_EQ(configs(filter, limit), expected) << round;
    ASSERT_EQ(all(limit, [&](const PageRequest& page) { return queries.drafts(filter, page, {}); }), expected) << round;
  }
}

// Costs are counted, not timed: Queries looks at the clock each thousand instructions of SQLite's machine.
class CountingClock final : public Clock {
 public:
  Mono now() const override {
    ++looks_;
    return {};
  }
  Wall wall() const override { return {}; }
  int looks() const { return std::exchange(looks_, 0); }

 private:
  mutable int looks_ = 0;
};

TEST_F(Lists, cost_what_they_show) {
  constexpr int kApplications = 100, kEach = 100;
  for (int i = 0; i < kApplications * kEach; ++i)
    apply(commands.publish(fmt::format("{}/{}/{}/{}", i % 2 == 0 ? "dev" : "prod", i / kEach, i % 10, i), "x", "text"));
  commit();
  const CountingClock clock;
  const Queries counted = queries.until({clock, Mono::max()});
  const auto cost = [&](const auto& ask) {
    ask();
    return clock.looks();
  };
  const int everything = cost([&] { EXPECT_TRUE(counted.configs({.text = "nowhere"}, {}, {})); });
  EXPECT_GE(everything, 50);
  EXPECT_LE(cost([&] { EXPECT_THAT(counted.configs({.application = "7"}, {}, {})->items, SizeIs(kEach)); }),
            everything / 10);
  EXPECT_LE(cost([&] {
              EXPECT_THAT(counted.configs({.environment = "dev", .cluster = "4"}, {.limit = 10}, {})->items,
                          SizeIs(10));
            }),
            everything / 10);
  EXPECT_LE(cost([&] { EXPECT_THAT(counted.clusters("", "7").value(), SizeIs(10)); }), everything / 10);
  EXPECT_LE(cost([&] { EXPECT_EQ(counted.counts()->releases, kApplications * kEach); }), everything / 10);
}

class Deadlines : public StateTest {
 protected:
  Deadlines() {
    for (int i = 0; i < 200; ++i)  // more than SQLite does between two looks at the clock
      apply(commands.publish("dev/shop/default/" + std::to_string(i), "x", "text"));
    commit();
  }
  Deadline in(std::chrono::milliseconds time) { return {clock, clock.now() + time}; }

  ManualClock clock;
};

TEST_F(Deadlines, end_what_takes_longer_and_nothing_after_it) {
  const Queries hurried = queries.until(in(std::chrono::seconds(10)));
  const auto slow = [&](const ConfigKey&) {
    clock.advance(std::chrono::seconds(1));
    return true;
  };
  EXPECT_EQ(hurried.configs({}, {.limit = 1000}, slow).error().code, Code::timeout);
  EXPECT_EQ(hurried.audit({.actor = "nobody"}, {}).error().code, Code::timeout);
  EXPECT_EQ(hurried.configs({.text = "nothing", .in_content = true}, {}, {}).error().code, Code::timeout);
  EXPECT_THAT(queries.configs({}, {.limit = 1000}, slow).value().items, SizeIs(200)) << "on the same connection";
}

TEST_F(Deadlines, end_the_wait_for_a_connection) {
  const Queries one(file, 1);
  std::latch taken(1), released(1);
  std::jthread holding([&] {
    const auto hold = [&, first = true](const ConfigKey&) mutable {
      if (std::exchange(first, false)) {
        taken.count_down();
        released.wait();
      }
      return true;
    };
    EXPECT_TRUE(one.configs({}, {}, hold));
  });
  taken.wait();
  EXPECT_EQ(one.until(in(std::chrono::milliseconds(1))).counts().error().code, Code::timeout);
  released.count_down();
  EXPECT_TRUE(one.counts());
}

TEST_F(Deadlines, end_the_wait_for_what_was_acknowledged) {
  int waits = 0;
  std::chrono::milliseconds patience{};
  const Queries waiting(file, 1, [&](std::chrono::milliseconds given) -> Result<> {
    patience = given;
    clock.advance(given);
    if (++waits == 3) return {};
    return fail(Code::timeout, "not yet");
  });
  EXPECT_TRUE(waiting.environments());
  EXPECT_EQ(waits, 3);
  waits = 0;
  EXPECT_EQ(waiting.until(in(std::chrono::milliseconds(1200))).environments().error().code, Code::timeout);
  EXPECT_EQ(waits, 2);
  EXPECT_EQ(patience, std::chrono::milliseconds(200));
}

TEST_F(Deadlines, come_at_once_for_who_is_called_off) {
  std::stop_source source;
  const Queries called_off = queries.until({clock, Mono::max(), source.get_token()});
  EXPECT_TRUE(called_off.audit({.actor = "nobody"}, {}));
  source.request_stop();
  EXPECT_EQ(called_off.audit({.actor = "nobody"}, {}).error().code, Code::timeout);
}

}  // namespace
}  // namespace cc::state
