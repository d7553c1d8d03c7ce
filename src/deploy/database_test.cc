#include "deploy/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/test_installation.h"

namespace cc::deploy {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kSettings(kDatabaseSettings), kAccess(kDatabaseAccess), kPasswords(kDatabasePasswords);

RenderedFiles files_on(const Topology& topology, std::string_view host) {
  return database_files(topology, test_secrets(), topology.host(host));
}
std::string content_on(const Topology& topology, std::string_view host, const std::string& path) {
  return file_at(files_on(topology, host), path).content;
}

TEST(DatabaseFiles, are_the_golden_ones) {
  const Topology topology = whole_topology();
  for (const char* host : {"db1", "db2", "db3"})
    expect_golden("database", topology.host(host), files_on(topology, host));
}

TEST(DatabaseFiles, are_on_the_hosts_of_the_database_alone) {
  Topology topology = whole_topology();
  EXPECT_TRUE(files_on(topology, "app1").empty());
  topology.database.reset();
  EXPECT_TRUE(files_on(topology, "db1").empty());
}

TEST(DatabaseFiles, have_commits_wait_for_a_replica_on_the_primary_alone) {
  const Topology topology = whole_topology();
  EXPECT_THAT(content_on(topology, "db1", kSettings),
              HasSubstr("\nsynchronous_standby_names = 'ANY 1 (\"db2\", \"db3\")'\n"));
  EXPECT_THAT(content_on(topology, "db2", kSettings), Not(HasSubstr("synchronous_standby_names")));
}

TEST(DatabaseFiles, without_replicas_have_commits_wait_for_nobody_and_let_nobody_replicate) {
  Topology topology = whole_topology();
  topology.database->replicas.clear();
  EXPECT_THAT(content_on(topology, "db1", kSettings), Not(HasSubstr("synchronous")));
  EXPECT_THAT(content_on(topology, "db1", kAccess), Not(HasSubstr(kReplicationRole)));
  EXPECT_FALSE(has_file(files_on(topology, "db1"), kPasswords));
}

TEST(DatabaseFiles, follow_the_primary_when_it_is_another) {
  Topology topology = whole_topology();
  topology.database->primary = "db2";
  topology.database->replicas = {"db1", "db3"};
  EXPECT_THAT(content_on(topology, "db2", kSettings), HasSubstr("'ANY 1 (\"db1\", \"db3\")'"));
  EXPECT_THAT(content_on(topology, "db2", kSettings), Not(HasSubstr("primary_conninfo")));
  EXPECT_THAT(content_on(topology, "db1", kSettings), HasSubstr("primary_conninfo = 'host=10.0.0.32 "));
  EXPECT_THAT(content_on(topology, "db1", kSettings), HasSubstr("primary_slot_name = 'db1'"));
}

TEST(DatabaseFiles, have_the_operators_own_settings_instead_of_ours) {
  Topology topology = whole_topology();
  topology.database->settings = {{"shared_buffers", "1GB"},
                                 {"Max_WAL_Senders", "20"},
                                 {"log_line_prefix", "it's \\ %m\n"},
                                 {"synchronous_standby_names", ""}};
  const std::string settings = content_on(topology, "db1", kSettings);
  EXPECT_THAT(settings, HasSubstr("\nshared_buffers = '1GB'\n"));
  EXPECT_THAT(settings, HasSubstr("\nMax_WAL_Senders = '20'\n"));
  EXPECT_THAT(settings, Not(HasSubstr("max_wal_senders")));
  EXPECT_THAT(settings, HasSubstr("\nsynchronous_standby_names = ''\n"));
  EXPECT_THAT(settings, Not(HasSubstr("ANY 1")));
  EXPECT_THAT(settings, HasSubstr("\nlog_line_prefix = 'it''s \\\\ %m\\n'\n"));
}

TEST(DatabaseFiles, let_single_hosts_in_by_TLS_unless_the_operator_turned_that_off) {
  Topology topology = whole_topology();
  EXPECT_THAT(content_on(topology, "db1", kAccess),
              HasSubstr("hostssl \"config_center\"   \"config_center\"   10.0.0.21/32 "));
  topology.database->settings = {{"ssl", "OFF"}};
  EXPECT_THAT(content_on(topology, "db1", kAccess), Not(HasSubstr("hostssl")));
  EXPECT_THAT(content_on(topology, "db2", kSettings), HasSubstr("sslmode=prefer"));
}

TEST(DatabaseFiles, know_addresses_of_IPv6_and_names) {
  Topology topology = whole_topology();
  for (Host& host : topology.hosts) {
    if (host.name == "db1") host.address = "fd00::31";
    if (host.name == "db2") host.address = "db2.example.org";
  }
  EXPECT_THAT(content_on(topology, "db1", kAccess), HasSubstr(" fd00::31/128 "));
  EXPECT_THAT(content_on(topology, "db1", kAccess), HasSubstr(" db2.example.org "));
  EXPECT_THAT(content_on(topology, "db2", kPasswords), HasSubstr("\nfd00\\:\\:31:5432:replication:replicator:"));
}

TEST(DatabaseFiles, keep_passwords_to_PostgreSQL_alone) {
  for (const RenderedFile& file : files_on(whole_topology(), "db2")) {
    EXPECT_EQ(file.owner, "postgres");
    EXPECT_EQ(file.secret, file.content.contains(test_secrets().replication)) << file.path;
    if (file.secret) {
      EXPECT_EQ(file.mode, 0600U) << file.path;
    }
  }
}

TEST(ReplicationSlot, has_the_hosts_name_as_far_as_PostgreSQL_allows) {
  EXPECT_EQ(replication_slot("DB-2.example"), "db_2_example");
}

}  // namespace
}  // namespace cc::deploy
