#include "service/places.h"

#include <gmock/gmock.h>

#include "service/audit.h"
#include "service/status.h"
#include "service/test_node.h"

namespace cc::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PlacesTest : public testing::Test {
 protected:
  template <class T>
  static std::vector<std::string> names_of(const Result<state::Page<T>>& page) {
    std::vector<std::string> names;
    for (const T& one : page.value().items)
      names.push_back(one.name);
    return names;
  }
  Result<Put<Environment>> put_env(const Call& call, EnvironmentChange change) {
    return node.run(put_environment(node.context(), call, std::move(change)));
  }
  Result<Put<Application>> put_app(const Call& call, ApplicationChange change) {
    return node.run(put_application(node.context(), call, std::move(change)));
  }
  std::vector<std::string> environments(const Call& call) {
    return names_of(node.run(list_environments(node.context(), call, {})));
  }
  std::vector<std::string> applications(const Call& call) {
    return names_of(node.run(list_applications(node.context(), call, {})));
  }
  Call user(const std::string& name, Grant grant) {
    node.user(name, {std::move(grant)});
    return node.as(node.token(name));
  }

  TestNode node;
};

TEST_F(PlacesTest, an_environment_is_made_changed_read_and_deleted) {
  const auto made = put_env(node.admin(), {.name = "test", .description = "for tests"}).value();
  EXPECT_TRUE(made.created);
  EXPECT_EQ(made.item.description, "for tests");
  const auto same = put_env(node.admin(), {.name = "test", .description = {}}).value();
  EXPECT_FALSE(same.created);
  EXPECT_EQ(same.item.description, "for tests") << "what is absent stays";
  EXPECT_EQ(put_env(node.admin(), {.name = "test", .description = ""}).value().item.description, "");
  EXPECT_THAT(environments(node.admin()), ElementsAre("dev", "prod", "test"));
  EXPECT_EQ(node.run(read_environment(node.context(), node.admin(), "test")).value().name, "test");
  EXPECT_TRUE(node.run(delete_environment(node.context(), node.admin(), "test")));
  EXPECT_EQ(node.run(read_environment(node.context(), node.admin(), "test")).error().code, Code::not_found);
  EXPECT_EQ(node.run(delete_environment(node.context(), node.admin(), "test")).error().code, Code::not_found);
  for (const char* bad : {"", "a/b", "..", "a\nb"})
    EXPECT_EQ(put_env(node.admin(), {.name = bad, .description = {}}).error().code, Code::invalid_argument);
  EXPECT_EQ(put_env(node.admin(), {.name = "x", .description = std::string(5000, 'x')}).error().code,
            Code::invalid_argument);
}

TEST_F(PlacesTest, an_application_keeps_what_a_change_leaves_out) {
  EXPECT_TRUE(put_app(node.admin(), {.name = "shop", .department = "sales", .owner = "ann"}).value().created);
  const auto changed =
      put_app(node.admin(), {.name = "shop", .department = {}, .owner = {}, .description = "d"}).value();
  EXPECT_FALSE(changed.created);
  EXPECT_EQ(changed.item.department, "sales");
  EXPECT_EQ(changed.item.owner, "ann");
  EXPECT_EQ(changed.item.description, "d");
  EXPECT_EQ(node.context().directory->departments()->at("shop"), "sales");
  EXPECT_TRUE(node.run(delete_application(node.context(), node.admin(), "shop")));
  EXPECT_EQ(node.run(read_application(node.context(), node.admin(), "shop")).error().code, Code::not_found);
}

TEST_F(PlacesTest, an_owner_gives_a_terminal_nothing_to_obey) {
  const auto refused = node.run(put_application(node.context(), node.admin(), {.name = "shop", .owner = "a\nb"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
}

TEST_F(PlacesTest, clusters_are_made_listed_and_deleted) {
  ASSERT_TRUE(put_app(node.admin(), {.name = "shop"}));
  const auto made =
      node.run(put_cluster(node.context(), node.admin(), {"dev", "shop", "shanghai"}, "the site")).value();
  EXPECT_TRUE(made.created);
  EXPECT_EQ(made.item.name, "shanghai");
  EXPECT_EQ(
      node.run(put_cluster(node.context(), node.admin(), {"dev", "shop", "shanghai"}, {})).value().item.description,
      "the site");
  EXPECT_THAT(names_of(node.run(list_clusters(node.context(), node.admin(), "dev", "", {}))), ElementsAre("shanghai"));
  EXPECT_THAT(names_of(node.run(list_clusters(node.context(), node.admin(), "prod", "", {}))), IsEmpty());
  EXPECT_EQ(node.run(put_cluster(node.context(), node.admin(), {"pord", "shop", "x"}, {})).error().code,
            Code::not_found);
  EXPECT_TRUE(node.run(delete_cluster(node.context(), node.admin(), {"dev", "shop", "shanghai"})));
  EXPECT_THAT(names_of(node.run(list_clusters(node.context(), node.admin(), "", "", {}))), IsEmpty());
}

TEST_F(PlacesTest, what_cannot_be_a_name_is_not_deleted) {
  for (const char* bad : {"\xff", "", "..", "a\nb"}) {
    EXPECT_EQ(node.run(delete_environment(node.context(), node.admin(), bad)).error().code, Code::invalid_argument);
    EXPECT_EQ(node.run(delete_application(node.context(), node.admin(), bad)).error().code, Code::invalid_argument);
    for (const ClusterName& name : {ClusterName{bad, "a", "b"}, {"dev", bad, "b"}, {"dev", "a", bad}})
      EXPECT_EQ(node.run(delete_cluster(node.context(), node.admin(), name)).error().code, Code::invalid_argument);
  }
}

TEST_F(PlacesTest, lists_show_what_the_caller_may_read_something_of) {
  ASSERT_TRUE(put_app(node.admin(), {.name = "shop", .department = "sales"}));
  ASSERT_TRUE(put_app(node.admin(), {.name = "ledger", .department = "finance"}));
  ASSERT_TRUE(node.run(put_cluster(node.context(), node.admin(), {"dev", "shop", "a"}, {})));
  ASSERT_TRUE(node.run(put_cluster(node.context(), node.admin(), {"prod", "ledger", "b"}, {})));
  const Call in_dev = user("ann", {.role = Role::viewer, .scope = {.environment = "dev"}});
  EXPECT_THAT(environments(in_dev), ElementsAre("dev"));
  EXPECT_THAT(applications(in_dev), ElementsAre("ledger", "shop"));
  EXPECT_THAT(names_of(node.run(list_clusters(node.context(), in_dev, "", "", {}))), ElementsAre("a"));
  EXPECT_EQ(node.run(read_environment(node.context(), in_dev, "prod")).error().code, Code::permission_denied);
  const Call of_sales = user("bob", {.role = Role::viewer, .scope = {.department = "sales"}});
  EXPECT_THAT(environments(of_sales), ElementsAre("dev", "prod"));
  EXPECT_THAT(applications(of_sales), ElementsAre("shop"));
  EXPECT_EQ(node.run(read_application(node.context(), of_sales, "ledger")).error().code, Code::permission_denied);
  const Call operating = user("otto", {.role = Role::operator_, .scope = {}});
  EXPECT_THAT(environments(operating), IsEmpty());
  EXPECT_THAT(applications(operating), IsEmpty());
}

TEST_F(PlacesTest, who_is_not_logged_in_is_shown_no_list) {
  const Call nobody = node.nobody();
  EXPECT_EQ(node.run(list_environments(node.context(), nobody, {})).error().code, Code::unauthenticated);
  EXPECT_EQ(node.run(list_applications(node.context(), nobody, {})).error().code, Code::unauthenticated);
  EXPECT_EQ(node.run(list_clusters(node.context(), nobody, "", "", {})).error().code, Code::unauthenticated);
  node.user("ann", {});
  EXPECT_THAT(environments(node.as(node.token("ann"))), IsEmpty());
}

TEST_F(PlacesTest, are_changed_by_who_manages_them_only) {
  const Call publisher = user("ann", {.role = Role::publisher, .scope = {}});
  EXPECT_EQ(put_env(publisher, {.name = "test"}).error().code, Code::permission_denied);
  EXPECT_EQ(put_app(publisher, {.name = "shop"}).error().code, Code::permission_denied);
  EXPECT_EQ(node.run(put_cluster(node.context(), publisher, {"dev", "shop", "a"}, {})).error().code,
            Code::permission_denied);
  EXPECT_EQ(node.run(delete_environment(node.context(), publisher, "dev")).error().code, Code::permission_denied);
  EXPECT_EQ(node.audited({.actor = "ann", .outcome = "permission_denied"}).size(), 4u);
}

TEST_F(PlacesTest, who_may_not_change_them_costs_no_question) {
  for (unsigned& working : node.context().working)
    working = 1000;  // whoever asks is turned away
  const Call nobody = node.nobody();
  EXPECT_EQ(put_env(nobody, {.name = "test"}).error().code, Code::unauthenticated);
  EXPECT_EQ(put_app(nobody, {.name = "shop", .department = "sales"}).error().code, Code::unauthenticated);
  EXPECT_EQ(node.run(put_cluster(node.context(), nobody, {"dev", "shop", "a"}, {})).error().code,
            Code::unauthenticated);
  EXPECT_EQ(node.run(read_environment(node.context(), node.admin(), "dev")).error().code, Code::exhausted);
  EXPECT_TRUE(put_env(node.admin(), {.name = "test"})) << "made, though it cannot be asked what stands there now";
  node.context().working = {};
}

TEST_F(PlacesTest, an_administrator_of_a_department_makes_applications_in_it_and_takes_none_from_others) {
  ASSERT_TRUE(put_app(node.admin(), {.name = "ledger", .department = "finance"}));
  node.user("ann", {{.role = Role::admin, .scope = {.department = "sales"}}});
  const std::string ann = node.token("ann");
  EXPECT_TRUE(put_app(node.as(ann), {.name = "shop", .department = "sales"}));
  EXPECT_TRUE(put_app(node.as(ann), {.name = "shop", .department = {}, .owner = "ann"}));
  EXPECT_EQ(put_app(node.as(ann), {.name = "other", .department = "finance"}).error().code, Code::permission_denied);
  EXPECT_EQ(put_app(node.as(ann), {.name = "other"}).error().code, Code::permission_denied);
  EXPECT_EQ(put_app(node.as(ann), {.name = "ledger", .department = "sales"}).error().code, Code::permission_denied);
}

TEST_F(PlacesTest, who_may_only_make_an_application_does_not_take_one_that_is_made_meanwhile) {
  node.user("ann", {{.role = Role::admin, .scope = {.department = "sales"}}});
  const std::string token = node.token("ann");
  for (int i = 0; i < 10; ++i) {
    const std::string name = "shop" + std::to_string(i);
    const Call ann = node.as(token), admin = node.admin();
    const auto hers =
        node.start(put_application(node.context(), ann, {.name = name, .department = "sales", .owner = "ann"}));
    const auto other = node.start(put_application(node.context(), admin, {.name = name, .department = "finance"}));
    ASSERT_TRUE(other->value());
    // Whoever came first: she has made it, or not touched it.
    if (const auto made = hers->value()) {
      EXPECT_TRUE(made->created);
    } else {
      EXPECT_THAT(made.error().code, testing::AnyOf(Code::already_exists, Code::permission_denied));
      EXPECT_EQ(node.run(read_application(node.context(), node.admin(), name)).value().owner, "");
    }
    EXPECT_EQ(node.context().directory->departments()->at(name), "finance");
  }
}

TEST_F(PlacesTest, audit_records_of_a_place_are_for_who_administers_it) {
  ASSERT_TRUE(node.run(put_cluster(node.context(), node.admin(), {"dev", "shop", "a"}, {})));
  ASSERT_TRUE(node.run(put_cluster(node.context(), node.admin(), {"dev", "shop2", "a"}, {})));
  const auto ask = [&](const Call& call, const std::string& target) {
    return node.run(audit_records(node.context(), call, {.target_prefix = target}, {}));
  };
  EXPECT_GE(ask(node.admin(), "").value().value.items.size(), 3u);
  EXPECT_TRUE(ask(user("otto", {.role = Role::operator_, .scope = {}}), ""));
  const Call of_shop = user("ann", {.role = Role::admin, .scope = {.application = "shop"}});
  EXPECT_EQ(ask(of_shop, "dev/shop/").value().value.items.size(), 1u);
  EXPECT_EQ(ask(of_shop, "dev/shop").error().code, Code::permission_denied) << "that would be shop2's too";
  EXPECT_EQ(ask(of_shop, "dev/").error().code, Code::permission_denied);
  EXPECT_EQ(ask(of_shop, "").error().code, Code::permission_denied);
  EXPECT_EQ(ask(user("bob", {.role = Role::publisher, .scope = {}}), "dev/shop/").error().code,
            Code::permission_denied);
}

TEST_F(PlacesTest, the_status_of_the_node_is_for_everyone_who_is_logged_in) {
  node.context().cluster_id = "c";
  node.context().node_version = "1.2.3";
  const Call ann = user("ann", {.role = Role::viewer, .scope = {}});
  ASSERT_TRUE(node.queries().environments()) << "the counts are as last committed: let that be now";
  const auto status = node.run(node_status(node.context(), ann)).value();
  EXPECT_EQ(status.cluster_id, "c");
  EXPECT_EQ(status.version, "1.2.3");
  EXPECT_EQ(status.log.role, consensus::Role::leader);
  EXPECT_EQ(status.configs, 0u);
  EXPECT_EQ(status.counts.environments, 2u);
  EXPECT_EQ(status.counts.users, 2u);
  EXPECT_EQ(node.run(node_status(node.context(), node.nobody())).error().code, Code::unauthenticated);
}

TEST_F(PlacesTest, a_node_is_healthy_until_it_stops) {
  Health now = health(node.context());
  EXPECT_TRUE(now.serves_reads);
  EXPECT_FALSE(now.degraded);
  EXPECT_EQ(now.checks.size(), 3u);
  node.context().stopping = true;
  now = health(node.context());
  EXPECT_FALSE(now.serves_reads);
  EXPECT_TRUE(now.degraded);
  EXPECT_EQ(now.checks.front().message, "the node is stopping");
}

}  // namespace
}  // namespace cc::service
