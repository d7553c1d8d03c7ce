#include "view/view.h"

#include <algorithm>
#include <deque>
#include <list>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::view {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ReleasePtr release(std::string key, Revision revision, std::string content = "x", bool deleted = false) {
  auto made = std::make_shared<Release>();
  made->key_text = std::move(key);
  made->revision = revision;
  made->deleted = deleted;
  if (!deleted) made->content = std::move(content);
  return made;
}

Event event(std::string key, Revision revision, std::string content = "x") {
  return {.revision = revision, .release = release(std::move(key), revision, std::move(content))};
}

Event deletion(std::string key, Revision revision) {
  return {.revision = revision, .release = release(std::move(key), revision, "", true)};
}

void update(View& view, std::initializer_list<Event> events) {
  const std::vector<Event> all(events);
  view.update(all, all.back().revision);
}

Interest key(std::string text, Revision after = 0) {
  return {.text = std::move(text), .prefix = false, .after = after};
}
Interest prefix(std::string text, Revision after = 0) {
  return {.text = std::move(text), .prefix = true, .after = after};
}

std::vector<std::string> keys_of(const std::vector<ReleasePtr>& releases) {
  std::vector<std::string> out;
  for (const auto& one : releases)
    out.push_back(one->key_text + "@" + std::to_string(one->revision));
  return out;
}

std::vector<std::string> changes(const View& view, std::vector<Interest> interests, std::size_t limit = 0) {
  return keys_of(view.changes(interests, limit).releases);
}

// A waiter that counts how often it was woken.
struct Counting {
  Waiter waiter;
  int woken = 0;
  void wait(View& view, std::vector<Interest> interests) {
    view.wait(waiter, interests, [this] { ++woken; });
  }
};

TEST(View, serves_what_was_loaded_and_then_what_changes) {
  View view;
  EXPECT_EQ(view.find("prod/a/default/x.yaml"), nullptr);
  view.load({release("b", 2, "22"), release("a", 1, "1"), release("gone", 3, "", true)}, 3);
  EXPECT_EQ(view.revision(), 3u);
  EXPECT_EQ(view.find("a")->content, "1");
  EXPECT_TRUE(view.find("gone")->deleted);
  EXPECT_EQ(view.configs(), 2u);
  EXPECT_EQ(view.content_bytes(), 3u);

  update(view, {event("a", 4, "new"), deletion("b", 4), event("c", 5, "c")});
  EXPECT_EQ(view.revision(), 5u);
  EXPECT_EQ(view.find("a")->content, "new");
  EXPECT_TRUE(view.find("b")->deleted);
  EXPECT_EQ(view.configs(), 2u);
  EXPECT_EQ(view.content_bytes(), 4u);

  update(view, {event("b", 6, "again")});
  EXPECT_FALSE(view.find("b")->deleted);
  EXPECT_EQ(view.configs(), 3u);
}

TEST(View, an_event_that_is_not_newer_is_ignored) {
  View view;
  view.load({release("a", 5, "five")}, 5);
  update(view, {event("a", 4, "four"), event("a", 5, "other five")});
  EXPECT_EQ(view.find("a")->content, "five");
  EXPECT_EQ(view.revision(), 5u);
  EXPECT_EQ(view.content_bytes(), 4u);
}

TEST(View, a_commit_without_events_still_moves_the_revision) {
  View view;
  view.update({}, 7);
  EXPECT_EQ(view.revision(), 7u);
}

TEST(View, loading_again_forgets_what_was_there) {
  View view;
  view.load({release("a", 1), release("b", 2)}, 2);
  view.load({release("b", 3, "bb")}, 3);
  EXPECT_EQ(view.find("a"), nullptr);
  EXPECT_EQ(view.configs(), 1u);
  EXPECT_EQ(view.content_bytes(), 2u);
}

TEST(View, changes_are_those_after_each_interests_own_revision_oldest_first_without_repeats) {
  View view;
  view.load({release("prod/a/1", 9), release("prod/a/2", 4), release("prod/b/1", 6), release("dev/a/1", 5)}, 9);
  EXPECT_THAT(changes(view, {key("prod/a/1", 8)}), ElementsAre("prod/a/1@9"));
  EXPECT_THAT(changes(view, {key("prod/a/1", 9)}), IsEmpty());
  EXPECT_THAT(changes(view, {key("unknown", 0)}), IsEmpty());
  EXPECT_THAT(changes(view, {prefix("prod/a/", 0)}), ElementsAre("prod/a/2@4", "prod/a/1@9"));
  EXPECT_THAT(changes(view, {prefix("prod/a/", 4)}), ElementsAre("prod/a/1@9"));
  EXPECT_THAT(changes(view, {prefix("", 4)}), ElementsAre("dev/a/1@5", "prod/b/1@6", "prod/a/1@9"));
  EXPECT_THAT(changes(view, {prefix("zz", 0)}), IsEmpty());
  EXPECT_THAT(changes(view, {prefix("prod/", 5), key("prod/a/1", 0), key("prod/a/1", 8), prefix("prod/a", 8)}),
              ElementsAre("prod/b/1@6", "prod/a/1@9"));
}

TEST(View, a_tombstone_is_a_change) {
  View view;
  view.load({release("a", 1)}, 1);
  update(view, {deletion("a", 2)});
  EXPECT_THAT(changes(view, {key("a", 1)}), ElementsAre("a@2"));
  EXPECT_THAT(changes(view, {prefix("", 1)}), ElementsAre("a@2"));
}

TEST(View, limited_changes_end_with_a_whole_revision) {
  View view;
  view.load({release("a", 1), release("b", 2), release("c", 2), release("d", 3)}, 3);
  EXPECT_THAT(changes(view, {prefix("")}, 1), ElementsAre("a@1"));
  EXPECT_THAT(changes(view, {prefix("")}, 2), ElementsAre("a@1", "b@2", "c@2"));
  EXPECT_THAT(changes(view, {prefix("", 2)}, 2), ElementsAre("d@3"));
  EXPECT_THAT(changes(view, {key("d"), key("c"), key("b"), key("a")}, 2), ElementsAre("a@1", "b@2", "c@2"));
}

TEST(View, changes_tell_up_to_where_they_are_complete) {
  View view;
  view.load({release("a", 1), release("b", 2), release("c", 2), release("d", 3)}, 5);
  const auto up_to = [&](std::vector<Interest> interests, std::size_t limit) {
    return view.changes(interests, limit).revision;
  };
  EXPECT_EQ(up_to({prefix("")}, 1), 1u);
  EXPECT_EQ(up_to({prefix("")}, 2), 2u);
  EXPECT_EQ(up_to({prefix("")}, 0), 5u);
  EXPECT_EQ(up_to({prefix("", 3)}, 1), 5u);
  EXPECT_EQ(up_to({key("a"), key("d")}, 1), 1u);
  EXPECT_EQ(up_to({key("none")}, 1), 5u);
}

TEST(View, what_the_filter_hides_is_no_change_and_fills_no_limit) {
  View view;
  view.load({release("a", 1), release("hidden", 2), release("c", 3), release("d", 4)}, 4);
  const auto shown = [](const Release& one) { return one.key_text != "hidden"; };
  const std::vector<Interest> all{prefix("")}, one{key("hidden")};
  EXPECT_THAT(keys_of(view.changes(all, 2, shown).releases), ElementsAre("a@1", "c@3"));
  EXPECT_THAT(view.changes(one, 1, shown).releases, IsEmpty());
  EXPECT_EQ(view.changes(one, 1, shown).revision, 4u);
}

// Costs are counted, not timed: how many releases were looked at.
class Costs : public testing::Test {
 protected:
  static constexpr std::size_t kApplications = 1'000, kEach = 20, kConfigs = kApplications * kEach;

  Costs() {
    std::vector<ReleasePtr> all;
    for (std::size_t i = 0; i < kConfigs; ++i)
      all.push_back(release("prod/" + std::to_string(i % kApplications) + "/default/" + std::to_string(i), i + 1));
    view.load(all, kConfigs);
  }
  // Follows from `after` to the end, piece by piece; what that looked at, in all and at most at once.
  struct Cost {
    std::size_t told = 0, pieces = 0, looked_at = 0, at_once = 0;
  };
  Cost follow(Interest interest, std::size_t limit, const View::Filter& filter = {}) const {
    Cost cost;
    while (interest.after < view.revision()) {
      const std::vector<Interest> one{interest};
      const auto found = view.changes(one, limit, filter);
      EXPECT_GT(found.revision, interest.after);
      interest.after = found.revision;
      cost.told += found.releases.size();
      cost.looked_at += found.looked_at;
      cost.at_once = std::max(cost.at_once, found.looked_at);
      ++cost.pieces;
    }
    return cost;
  }

  View view;
};

TEST_F(Costs, who_starts_far_behind_costs_what_is_told) {
  const std::vector<Interest> all{prefix("")};
  EXPECT_LE(view.changes(all, 1).looked_at, 2u);
  const Cost cost = follow(prefix(""), 100);
  EXPECT_EQ(cost.told, kConfigs);
  EXPECT_EQ(cost.pieces, kConfigs / 100);
  EXPECT_LE(cost.looked_at, kConfigs + 2 * cost.pieces);
  EXPECT_LE(cost.at_once, 102u);
}

TEST_F(Costs, who_is_nearly_up_to_date_costs_what_changed_since) {
  EXPECT_LE(follow(prefix("", kConfigs - 5), 100).looked_at, 7u);
  EXPECT_LE(follow(prefix("prod/7/", kConfigs - 5), 100).looked_at, 7u);
}

TEST_F(Costs, of_a_narrow_prefix_are_what_stands_below_it) {
  const Cost cost = follow(prefix("prod/7/"), 100);
  EXPECT_EQ(cost.told, kEach);
  EXPECT_LE(cost.looked_at, kEach + 2);
}

TEST_F(Costs, of_what_is_hidden_are_spread_over_many_pieces) {
  const Cost cost = follow(prefix(""), 100, [](const Release& one) { return one.key_text.starts_with("prod/7/"); });
  EXPECT_EQ(cost.told, kEach);
  EXPECT_LE(cost.looked_at, kConfigs + 2 * cost.pieces);
  EXPECT_LE(cost.at_once, 5'000u);
}

TEST_F(Costs, do_not_multiply_with_prefixes_that_stand_in_each_other) {
  std::vector<Interest> nested;
  const std::string longest = "prod/7/default/7";
  for (std::size_t length = 0; length <= longest.size(); ++length)
    nested.push_back(prefix(longest.substr(0, length), longest.size() - length));
  const auto found = view.changes(nested, 100);
  EXPECT_EQ(found.releases.size(), 100u);
  EXPECT_LE(found.looked_at, 200u);
}

// Against a model that is too simple to be wrong: random histories, interests, limits and filters, followed to the end.
TEST(View, changes_followed_piece_by_piece_miss_nothing_and_repeat_nothing) {
  std::mt19937 random(2);
  const auto any = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
  const auto name = [&] {
    std::string text;
    for (std::size_t i = 1 + any(4); i > 0; --i)
      text += "ab/"[any(3)];
    return text;
  };
  for (int round = 0; round < 2'000; ++round) {
    View view;
    std::map<std::string, ReleasePtr> model;
    const Revision newest = any(30);
    for (Revision revision = 1; revision <= newest; ++revision) {
      std::vector<Event> events;
      for (std::size_t i = any(4); i > 0; --i) {
        Event next = any(4) == 0 ? deletion(name(), revision) : event(name(), revision);
        auto& there = model[next.release->key_text];
        if (there && there->revision == revision) continue;
        there = next.release;
        events.push_back(std::move(next));
      }
      view.update(events, revision);
    }
    std::vector<Interest> interests;
    for (std::size_t i = 1 + any(5); i > 0; --i)
      interests.push_back({.text = any(6) == 0 ? "" : name(), .prefix = any(2) == 0, .after = any(newest + 3)});
    const char hidden = "ab/-"[any(4)];
    const auto shown = [&](const Release& one) { return one.key_text.back() != hidden; };
    const std::size_t limit = any(6);

    std::set<std::pair<Revision, std::string>> expected;
    for (const auto& [text, there] : model) {
      const bool wanted = std::ranges::any_of(interests, [&](const Interest& one) {
        return there->revision > one.after && (one.prefix ? text.starts_with(one.text) : text == one.text);
      });
      if (wanted && shown(*there)) expected.emplace(there->revision, text);
    }
    std::vector<std::pair<Revision, std::string>> told;
    for (;;) {
      const auto found = view.changes(interests, limit, shown);
      for (const auto& one : found.releases) {
        ASSERT_LE(one->revision, found.revision);
        told.emplace_back(one->revision, one->key_text);
      }
      if (found.releases.empty()) {
        ASSERT_EQ(found.revision, view.revision());
        break;
      }
      if (limit != 0 && found.revision < view.revision()) {
        ASSERT_GE(found.releases.size(), limit);
      }
      for (Interest& one : interests)
        one.after = std::max(one.after, found.revision);
    }
    ASSERT_EQ(told, std::vector(expected.begin(), expected.end())) << "round " << round;
  }
}

TEST(View, lists_published_configs_in_order_of_key_page_by_page) {
  View view;
  view.load({release("p/c", 1), release("p/a", 2), release("p/b", 3, "", true), release("p/d", 4), release("q", 5)}, 5);
  EXPECT_THAT(keys_of(view.list("p/", "", 10)), ElementsAre("p/a@2", "p/c@1", "p/d@4"));
  EXPECT_THAT(keys_of(view.list("p/", "", 2)), ElementsAre("p/a@2", "p/c@1"));
  EXPECT_THAT(keys_of(view.list("p/", "p/c", 2)), ElementsAre("p/d@4"));
  EXPECT_THAT(keys_of(view.list("p/", "a", 1)), ElementsAre("p/a@2"));
  EXPECT_THAT(keys_of(view.list("", "p/d", 9)), ElementsAre("q@5"));
  EXPECT_THAT(keys_of(view.list("zz", "", 9)), IsEmpty());
}

TEST(Watching, wakes_once_for_its_key_and_for_no_other) {
  View view;
  view.load({release("a", 1)}, 1);
  Counting one;
  one.wait(view, {key("a", 1)});
  EXPECT_TRUE(one.waiter.waiting());
  EXPECT_EQ(view.waiters(), 1u);
  update(view, {event("b", 2), event("ab", 2)});
  EXPECT_EQ(one.woken, 0);
  update(view, {event("a", 3)});
  EXPECT_EQ(one.woken, 1);
  EXPECT_FALSE(one.waiter.waiting());
  EXPECT_EQ(view.waiters(), 0u);
  update(view, {event("a", 4)});
  EXPECT_EQ(one.woken, 1);
}

TEST(Watching, a_config_that_does_not_exist_yet_can_be_waited_for) {
  View view;
  Counting one;
  one.wait(view, {key("later")});
  update(view, {event("later", 1)});
  EXPECT_EQ(one.woken, 1);
}

TEST(Watching, wakes_for_each_prefix_that_the_key_starts_with) {
  View view;
  std::deque<Counting> waiters(6);
  waiters[0].wait(view, {prefix("")});
  waiters[1].wait(view, {prefix("prod/")});
  waiters[2].wait(view, {prefix("prod/shop/default/a")});
  waiters[3].wait(view, {prefix("prod/shop/default/a.yaml")});
  waiters[4].wait(view, {prefix("prod/shop/default/a.yaml2")});
  waiters[5].wait(view, {prefix("prod/shap/")});
  update(view, {event("prod/shop/default/a.yaml", 1)});
  std::vector<int> woken;
  for (const Counting& one : waiters)
    woken.push_back(one.woken);
  EXPECT_THAT(woken, ElementsAre(1, 1, 1, 1, 0, 0));
  EXPECT_EQ(view.waiters(), 2u);
}

TEST(Watching, the_map_is_new_before_anybody_is_woken) {
  View view;
  Waiter waiter;
  std::string seen;
  const std::vector<Interest> interests{key("a")};
  view.wait(waiter, interests,
            [&] { seen = view.find("b")->content + std::to_string(view.revision()) + std::to_string(view.waiters()); });
  const std::vector<Event> events{event("a", 1), event("b", 2, "content of b ")};
  view.update(events, 2);
  EXPECT_EQ(seen, "content of b 20");
}

TEST(Watching, a_waiter_of_many_interests_is_woken_once_and_leaves_nothing_behind) {
  View view;
  Counting one;
  one.wait(view, {key("a"), key("b"), key("a"), prefix("a"), prefix("")});
  const std::vector<Event> events{event("a", 1), event("b", 1), event("a", 2)};
  view.update(events, 2);
  EXPECT_EQ(one.woken, 1);
  EXPECT_EQ(view.waiters(), 0u);
  one.wait(view, {key("a", 2)});
  update(view, {event("b", 3)});
  EXPECT_EQ(one.woken, 1);
  update(view, {event("a", 4)});
  EXPECT_EQ(one.woken, 2);
}

TEST(Watching, a_client_that_is_ahead_of_this_node_sleeps_until_there_is_something_newer_for_it) {
  View view;
  Counting one;
  one.wait(view, {key("a", 10)});
  update(view, {event("a", 9)});
  EXPECT_EQ(one.woken, 0);
  EXPECT_TRUE(one.waiter.waiting());
  update(view, {event("a", 11)});
  EXPECT_EQ(one.woken, 1);
}

TEST(Watching, a_stale_event_wakes_nobody) {
  View view;
  view.load({release("a", 5)}, 5);
  Counting one;
  one.wait(view, {key("a", 5)});
  update(view, {event("a", 5), event("a", 3)});
  EXPECT_EQ(one.woken, 0);
}

TEST(Watching, loading_again_wakes_those_for_whom_something_is_newer) {
  View view;
  view.load({release("a", 1), release("b", 2)}, 2);
  Counting a, b, below, other;
  a.wait(view, {key("a", 1)});
  b.wait(view, {key("b", 2)});
  below.wait(view, {prefix("", 2), key("a", 1)});
  other.wait(view, {prefix("z", 0)});
  view.load({release("a", 7), release("b", 2)}, 7);
  EXPECT_EQ(a.woken, 1);
  EXPECT_EQ(b.woken, 0);
  EXPECT_EQ(below.woken, 1);
  EXPECT_EQ(other.woken, 0);
  EXPECT_EQ(view.waiters(), 2u);
}

TEST(Watching, a_waiter_that_goes_away_is_forgotten) {
  View view;
  Counting stays;
  stays.wait(view, {key("a")});
  {
    Counting goes, between;
    goes.wait(view, {key("a"), prefix("a")});
    between.wait(view, {key("a")});
    EXPECT_EQ(view.waiters(), 3u);
  }
  EXPECT_EQ(view.waiters(), 1u);
  update(view, {event("a", 1)});
  EXPECT_EQ(stays.woken, 1);
}

TEST(Watching, a_waiter_may_outlive_the_view) {
  Counting one;
  {
    View view;
    one.wait(view, {key("a"), prefix("b")});
  }
  EXPECT_FALSE(one.waiter.waiting());
}

TEST(Waiting, for_a_revision_ends_when_it_is_reached_whatever_changed) {
  View view;
  view.load({}, 3);
  Counting fourth, sixth, again;
  const auto wait_for = [&](Counting& one, Revision revision) {
    view.wait_for(one.waiter, revision, [&one] { ++one.woken; });
  };
  wait_for(fourth, 4);
  wait_for(sixth, 6);
  wait_for(again, 6);
  EXPECT_EQ(view.waiters(), 3u);
  view.update({}, 4);  // a draft, a user
  EXPECT_EQ(fourth.woken, 1);
  EXPECT_FALSE(fourth.waiter.waiting());
  EXPECT_EQ(sixth.woken, 0);
  update(view, {event("a", 7)});
  EXPECT_EQ(sixth.woken, 1);
  EXPECT_EQ(again.woken, 1);
  EXPECT_EQ(fourth.woken, 1);
  EXPECT_EQ(view.waiters(), 0u);
  wait_for(fourth, 9);
  view.load({}, 9);
  EXPECT_EQ(fourth.woken, 2);
}

TEST(Waiting, for_a_revision_is_forgotten_with_who_waits) {
  Counting outlives;
  {
    View view;
    {
      Counting goes;
      view.wait_for(goes.waiter, 2, [&goes] { ++goes.woken; });
    }
    view.wait_for(outlives.waiter, 3, [&outlives] { ++outlives.woken; });
    view.update({}, 2);
  }
  EXPECT_EQ(outlives.woken, 0);
  EXPECT_FALSE(outlives.waiter.waiting());
}

TEST(Watching, fifteen_thousand_on_one_key_and_ten_thousand_interests_of_one) {
  View view;
  std::deque<Counting> crowd(15'000);
  for (Counting& one : crowd)
    one.wait(view, {key("hot")});
  Counting broad;
  std::vector<Interest> interests;
  for (int i = 0; i < 5'000; ++i) {
    interests.push_back(key("key/" + std::to_string(i)));
    interests.push_back(prefix("prefix/" + std::to_string(i) + "/"));
  }
  broad.wait(view, interests);
  EXPECT_EQ(view.waiters(), 15'001u);
  // Half of them leave, in the order that is worst for a list that has to be searched.
  for (std::size_t i = 0; i < crowd.size(); i += 2)
    view.forget(crowd[i].waiter);
  update(view, {event("hot", 1)});
  EXPECT_EQ(std::ranges::count(crowd, 1, &Counting::woken), 7'500);
  EXPECT_EQ(broad.woken, 0);
  update(view, {event("prefix/4999/x", 2)});
  EXPECT_EQ(broad.woken, 1);
  EXPECT_EQ(view.waiters(), 0u);
}

// Against a model that is too simple to be wrong: random publishes, deletions and waits over few names.
TEST(Watching, agrees_with_a_naive_model) {
  std::mt19937 random(1);
  const auto any = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  const auto name = [&] {
    std::string text;
    for (int i = any(4); i >= 0; --i)
      text += "ab/"[any(3)];
    return text;
  };
  View view;
  std::map<std::string, ReleasePtr> model;
  Revision revision = 0;
  struct Waiting {
    Counting counting;
    std::vector<Interest> interests;
  };
  std::list<Waiting> waiting;
  for (int round = 0; round < 3'000; ++round) {
    const Interest interest{
        .text = name().substr(0, 3), .prefix = any(2) == 0, .after = Revision(any(int(revision) + 3))};
    std::set<std::pair<Revision, std::string>> expected;
    for (const auto& [text, there] : model) {
      if (there->revision > interest.after &&
          (interest.prefix ? text.starts_with(interest.text) : text == interest.text))
        expected.emplace(there->revision, text);
    }
    std::set<std::pair<Revision, std::string>> found;
    const std::vector<Interest> one{interest};
    for (const auto& there : view.changes(one).releases)
      found.emplace(there->revision, there->key_text);
    ASSERT_EQ(found, expected) << interest.text << " prefix " << interest.prefix << " after " << interest.after;
    if (expected.empty()) {
      waiting.emplace_back().interests = one;
      waiting.back().counting.wait(view, one);
    }

    std::vector<Event> events;
    for (int i = any(3); i > 0; --i) {
      Event next = any(4) == 0 ? deletion(name(), revision + 1) : event(name(), revision + 1);
      if (model.contains(next.release->key_text) && model[next.release->key_text]->revision > revision) continue;
      model[next.release->key_text] = next.release;
      events.push_back(next);
    }
    ++revision;
    view.update(events, revision);
    for (Waiting& each : waiting) {
      const Interest& on = each.interests.front();
      const bool due = std::ranges::any_of(events, [&](const Event& happened) {
        const std::string& text = happened.release->key_text;
        return happened.revision > on.after && (on.prefix ? text.starts_with(on.text) : text == on.text);
      });
      ASSERT_EQ(each.counting.woken, due ? 1 : 0) << on.text;
      ASSERT_EQ(each.counting.waiter.waiting(), !due);
    }
    std::erase_if(waiting, [](const Waiting& each) { return each.counting.woken != 0; });
  }
}

}  // namespace
}  // namespace cc::view
