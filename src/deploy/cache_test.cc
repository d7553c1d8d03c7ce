#include "deploy/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/test_installation.h"

namespace cc::deploy {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kServer = "/etc/redis/redis.conf", kSentinel = "/etc/redis/sentinel.conf";

RenderedFiles files_on(const Topology& topology, std::string_view host) {
  return cache_files(topology, test_secrets(), topology.host(host));
}
RenderedFile file_on(const Topology& topology, std::string_view host, std::string_view path) {
  return file_at(files_on(topology, host), path);
}

TEST(CacheFiles, are_the_golden_ones) {
  const Topology topology = whole_topology();
  for (const char* host : {"cache1", "cache2", "monitor1"})
    expect_golden("cache", topology.host(host), files_on(topology, host));
}

TEST(CacheFiles, are_on_the_hosts_of_the_cache_alone) {
  Topology topology = whole_topology();
  EXPECT_TRUE(files_on(topology, "app1").empty());
  EXPECT_FALSE(has_file(files_on(topology, "monitor1"), kServer));
  topology.cache.reset();
  EXPECT_TRUE(files_on(topology, "cache1").empty());
}

TEST(CacheFiles, are_made_once_where_Sentinels_write_them) {
  EXPECT_TRUE(file_on(whole_topology(), "cache1", kServer).once);
  EXPECT_TRUE(file_on(whole_topology(), "cache1", kSentinel).once);
}

TEST(CacheFiles, without_Sentinels_follow_the_topology) {
  Topology topology = whole_topology();
  topology.cache->sentinels.clear();
  EXPECT_FALSE(has_file(files_on(topology, "monitor1"), kSentinel));
  EXPECT_FALSE(file_on(topology, "cache2", kServer).once);
  EXPECT_THAT(file_on(topology, "cache2", kServer).content, HasSubstr("\nreplicaof 10.0.0.41 6379\n"));
  topology.cache->primary = "cache2";
  topology.cache->replicas = {"cache1"};
  EXPECT_THAT(file_on(topology, "cache2", kServer).content, Not(HasSubstr("replicaof")));
  EXPECT_THAT(file_on(topology, "cache1", kServer).content, HasSubstr("\nreplicaof 10.0.0.42 6379\n"));
}

TEST(CacheFiles, of_one_server_alone_wait_for_no_replica) {
  Topology topology = whole_topology();
  EXPECT_THAT(file_on(topology, "cache1", kServer).content, HasSubstr("\nmin-replicas-to-write 1\n"));
  topology.cache = Cache{.primary = "cache1"};
  EXPECT_THAT(file_on(topology, "cache1", kServer).content, HasSubstr("\nmin-replicas-to-write 0\n"));
}

TEST(CacheFiles, ask_for_a_majority_of_the_Sentinels) {
  Topology topology = whole_topology();
  EXPECT_THAT(file_on(topology, "cache1", kSentinel).content,
              HasSubstr("\nsentinel monitor config-center 10.0.0.41 6379 2\n"));
  topology.cache->sentinels = {"cache1", "cache2", "monitor1", "app1", "app2"};
  EXPECT_THAT(file_on(topology, "app2", kSentinel).content,
              HasSubstr("\nsentinel monitor config-center 10.0.0.41 6379 3\n"));
}

TEST(CacheFiles, have_Sentinels_resolve_names_when_there_are_names) {
  Topology topology = whole_topology();
  EXPECT_THAT(file_on(topology, "cache2", kSentinel).content, HasSubstr("\nsentinel resolve-hostnames no\n"));
  for (Host& host : topology.hosts)
    host.address = host.name + ".example.org";
  EXPECT_THAT(file_on(topology, "cache2", kSentinel).content, HasSubstr("\nsentinel resolve-hostnames yes\n"));
  EXPECT_THAT(file_on(topology, "cache2", kServer).content, HasSubstr("\nbind * -::*\n"));
}

TEST(CacheFiles, are_read_by_nobody_else) {
  for (const RenderedFile& file : files_on(whole_topology(), "cache1")) {
    EXPECT_EQ(file.secret, file.content.contains(test_secrets().cache)) << file.path;
    if (!file.secret) continue;
    EXPECT_EQ(file.mode, 0640U) << file.path;
    EXPECT_EQ(file.owner, "redis") << file.path;
  }
}

}  // namespace
}  // namespace cc::deploy
