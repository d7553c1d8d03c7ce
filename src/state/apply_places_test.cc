#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Places : public StateTest {
 protected:
  log::Command put_environment(const std::string& name, const std::string& description, bool create_only = false) {
    auto command = commands.make();
    auto& what = *command.mutable_put_environment();
    what.set_name(name);
    what.set_description(description);
    what.set_create_only(create_only);
    return command;
  }
  log::Command delete_environment(const std::string& name) {
    auto command = commands.make();
    command.mutable_delete_environment()->set_name(name);
    return command;
  }
  log::Command put_application(const std::string& name, const std::string& department) {
    auto command = commands.make();
    command.mutable_put_application()->set_name(name);
    command.mutable_put_application()->set_department(department);
    return command;
  }
  log::Command delete_application(const std::string& name) {
    auto command = commands.make();
    command.mutable_delete_application()->set_name(name);
    return command;
  }
  log::Command put_cluster(const std::string& environment, const std::string& application, const std::string& name,
                           const std::string& description = "") {
    auto command = commands.make();
    auto& what = *command.mutable_put_cluster();
    what.set_environment(environment);
    what.set_application(application);
    what.set_name(name);
    what.set_description(description);
    return command;
  }
  log::Command delete_cluster(const std::string& environment, const std::string& application, const std::string& name) {
    auto command = commands.make();
    auto& what = *command.mutable_delete_cluster();
    what.set_environment(environment);
    what.set_application(application);
    what.set_name(name);
    return command;
  }
  log::Command grant(const std::string& user, const Scope& scope) {
    auto command = commands.grant(user, "publisher", scope.environment);
    command.mutable_change_grant()->mutable_scope()->set_application(scope.application);
    return command;
  }
  log::Command create_key(const std::string& id, const std::string& application, const std::string& environment = "") {
    auto command = commands.make();
    command.mutable_create_access_key()->set_id(id);
    command.mutable_create_access_key()->set_application(application);
    command.mutable_create_access_key()->set_environment(environment);
    return command;
  }
  std::vector<std::string> environments() {
    std::vector<std::string> names;
    for (const auto& each : queries.environments().value())
      names.push_back(each.name);
    return names;
  }
};

TEST_F(Places, the_first_command_makes_environments_and_the_administrator) {
  EXPECT_THAT(environments(), ElementsAre("dev", "prod", "staging"));
  EXPECT_EQ(state->position().cluster_id, "01J0000000000000000000CLUS");
  const Identity identity = state->identity().value();
  ASSERT_THAT(identity.users, SizeIs(1));
  EXPECT_EQ(identity.users[0].name, "admin");
  EXPECT_EQ(identity.users[0].password_hash, "$argon2id$of-admin");
  EXPECT_THAT(identity.users[0].grants, ElementsAre(Grant{Role::admin, {}}));
  EXPECT_THAT(run(commands.initialize()), IsRefused(Code::already_exists));
}

TEST_F(Places, an_environment_is_made_changed_and_deleted) {
  EXPECT_TRUE(done(put_environment("test", "one")).created());
  const auto was = revision();
  EXPECT_FALSE(done(put_environment("test", "two")).created());
  EXPECT_EQ(revision(), was + 1);
  EXPECT_EQ(queries.environments().value().back().description, "two");
  EXPECT_THAT(run(put_environment("test", "three", true)), IsRefused(Code::already_exists));

  const auto records = audit({.action = "environment.update"});
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].before, R"({"description":"one"})");
  EXPECT_EQ(records[0].after, R"({"description":"two"})");

  done(delete_environment("test"));
  EXPECT_THAT(environments(), ElementsAre("dev", "prod", "staging"));
  EXPECT_THAT(run(delete_environment("test")), IsRefused(Code::not_found));
}

TEST_F(Places, what_a_change_leaves_out_stays_as_it_is_at_that_time) {
  auto application = put_application("shop", "sales"), cluster = put_cluster("dev", "shop", "beijing", "the site");
  application.mutable_put_application()->set_owner("ann");
  done(application);
  done(cluster);
  done(put_environment("test", "for tests"));

  auto change = commands.make();
  change.mutable_put_application()->set_name("shop");
  change.mutable_put_application()->set_description("sells");
  done(change);
  const Application shop = queries.application("shop").value();
  EXPECT_EQ(shop.department, "sales");
  EXPECT_EQ(shop.owner, "ann");
  EXPECT_EQ(shop.description, "sells");
  EXPECT_EQ(audit({.action = "application.update"}).at(0).after,
            R"({"department":"sales","owner":"ann","description":"sells"})");

  const auto was = revision();
  change = commands.make();
  change.mutable_put_environment()->set_name("test");
  EXPECT_FALSE(done(change).created());
  change = put_cluster("dev", "shop", "beijing");
  change.mutable_put_cluster()->clear_description();
  EXPECT_FALSE(done(change).created());
  EXPECT_EQ(revision(), was) << "they change nothing";
  EXPECT_EQ(queries.environments().value().back().description, "for tests");
  EXPECT_EQ(queries.clusters("dev", "shop").value().at(0).description, "the site");
}

TEST_F(Places, making_an_application_changes_none_that_is_there) {
  done(put_application("shop", "finance"));
  auto command = put_application("shop", "sales");
  command.mutable_put_application()->set_create_only(true);
  EXPECT_THAT(run(command), IsRefused(Code::already_exists));
  EXPECT_EQ(queries.application("shop").value().department, "finance");
}

TEST_F(Places, putting_what_is_there_already_takes_no_revision) {
  done(put_environment("test", "one"));
  const auto was = revision();
  done(put_environment("test", "one"));
  EXPECT_EQ(revision(), was);
}

TEST_F(Places, what_holds_configs_or_drafts_is_not_deleted) {
  done(commands.publish("dev/shop/default/a.txt", "x", "text"));
  done(commands.save_draft("dev/shop/default/b.txt", "x", "text"));
  for (const auto& command :
       {delete_environment("dev"), delete_application("shop"), delete_cluster("dev", "shop", "default")}) {
    const auto outcome = run(command);
    EXPECT_THAT(outcome, IsRefused(Code::conflict));
    EXPECT_THAT(outcome.message(), HasSubstr("1 config and 1 draft"));
  }
  done(commands.remove("dev/shop/default/a.txt"));
  EXPECT_THAT(run(delete_cluster("dev", "shop", "default")), IsRefused(Code::conflict));
  done(commands.discard_draft("dev/shop/default/b.txt"));
  done(delete_cluster("dev", "shop", "default"));
  done(delete_application("shop"));
  done(delete_environment("dev"));
}

TEST_F(Places, a_name_that_begins_with_another_is_another) {
  done(commands.publish("dev/shop2/default/a.txt", "x", "text"));
  done(commands.publish("dev/shop/default2/a.txt", "x", "text"));
  done(put_cluster("dev", "shop", "default"));
  done(delete_cluster("dev", "shop", "default"));
  done(put_application("sho", ""));
  done(delete_application("sho"));
}

TEST_F(Places, an_application_has_its_department_in_the_identity) {
  EXPECT_TRUE(apply(put_application("shop", "sales")).created());
  EXPECT_TRUE(commit().identity);
  const auto applications = state->identity().value().applications;
  ASSERT_THAT(applications, SizeIs(1));
  EXPECT_EQ(applications[0].department, "sales");
  EXPECT_FALSE(done(put_application("shop", "logistics")).created());
  EXPECT_EQ(queries.application("shop").value().department, "logistics");
  EXPECT_THAT(run(delete_application("none")), IsRefused(Code::not_found));
}

TEST_F(Places, what_was_granted_for_an_application_goes_with_it) {
  done(put_application("shop", ""));
  done(commands.put_user("li"));
  done(grant("li", {.application = "shop"}));
  done(grant("li", {.environment = "prod", .application = "shop"}));
  done(grant("li", {.application = "ledger"}));
  done(create_key("ck_1", "shop"));
  done(create_key("ck_2", "ledger"));
  const auto outcome = done(delete_application("shop"));

  const Identity identity = state->identity().value();
  EXPECT_THAT(identity.users.at(1).grants, ElementsAre(Grant{Role::publisher, {.application = "ledger"}}));
  EXPECT_EQ(identity.users.at(1).revision, outcome.revision());
  EXPECT_TRUE(identity.keys.at(0).revoked);
  EXPECT_FALSE(identity.keys.at(1).revoked);
  EXPECT_EQ(audit({.action = "application.delete"}).at(0).after, R"({"removed_grants":2,"revoked_keys":1})");
}

TEST_F(Places, what_was_granted_for_an_environment_goes_with_it) {
  done(commands.put_user("li"));
  done(grant("li", {.environment = "staging"}));
  done(grant("li", {.environment = "staging", .application = "shop"}));
  done(grant("li", {}));
  done(create_key("ck_1", "shop", "staging"));
  done(create_key("ck_2", "shop"));
  apply(delete_environment("staging"));
  EXPECT_TRUE(commit().identity);

  const Identity identity = state->identity().value();
  EXPECT_THAT(identity.users.at(1).grants, ElementsAre(Grant{Role::publisher, {}}));
  EXPECT_TRUE(identity.keys.at(0).revoked);
  EXPECT_FALSE(identity.keys.at(1).revoked);
  EXPECT_EQ(audit({.action = "environment.delete"}).at(0).after, R"({"removed_grants":2,"revoked_keys":1})");

  apply(delete_environment("dev"));
  EXPECT_FALSE(commit().identity) << "nothing was granted there";
  EXPECT_EQ(audit({.action = "environment.delete"}).at(0).after, "");
}

TEST_F(Places, clusters_are_made_changed_and_deleted) {
  EXPECT_TRUE(done(put_cluster("dev", "shop", "beijing", "one")).created());
  EXPECT_FALSE(done(put_cluster("dev", "shop", "beijing", "two")).created());
  EXPECT_EQ(queries.clusters("dev", "shop").value().at(0).description, "two");
  EXPECT_TRUE(queries.application("shop"));
  EXPECT_THAT(run(put_cluster("pord", "shop", "beijing")), IsRefused(Code::not_found));
  done(delete_cluster("dev", "shop", "beijing"));
  EXPECT_THAT(run(delete_cluster("dev", "shop", "beijing")), IsRefused(Code::not_found));
  EXPECT_THAT(queries.clusters("", "").value(), IsEmpty());
}

}  // namespace
}  // namespace cc::state
