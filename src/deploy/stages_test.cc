#include "deploy/stages.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/test_installation.h"

namespace cc::deploy {
namespace {

using testing::Contains;
using testing::Not;

std::vector<std::string> names_of(const Wish& wish) {
  const Stages stages = stages_of(wish);
  std::vector<std::string> names(stages.size());
  std::ranges::transform(stages, names.begin(), &Stage::name);
  return names;
}

std::size_t place_of(const std::vector<std::string>& names, std::string_view name) {
  EXPECT_THAT(names, Contains(name));
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

TEST(Stages, back_up_first_of_all) {
  const Topology topology = whole_topology();
  const Secrets secrets = test_secrets();
  Wish wish{.topology = topology, .secrets = secrets, .release = release_on_hosts("0.1.0-1"), .run = {}};
  EXPECT_THAT(names_of(wish), Not(Contains("backup")));
  wish.backup = true;
  EXPECT_EQ(names_of(wish).front(), "backup");
  EXPECT_THAT(backup_stage(topology, {}).steps.front().action,
              testing::HasSubstr("export CONFIG_CENTER_BACKUP_ARCHIVE=referenced\n"))
      << "an upgrade does not depend on the archive";
}

TEST(Stages, bring_the_data_back_between_the_configuration_and_the_start_of_the_nodes_which_join_nobody) {
  const Topology topology = whole_topology();
  const Secrets secrets = test_secrets();
  Wish wish{.topology = topology, .secrets = secrets, .release = release_on_hosts("0.1.0-1"), .run = {}};
  EXPECT_LT(place_of(names_of(wish), "joining"), place_of(names_of(wish), "app"));
  wish.data = KeptBackup{
      .host = "app1", .file = "/var/lib/config-center/before-deployments/1.ccbackup", .name = "x", .revision = 7};
  const auto names = names_of(wish);
  EXPECT_LT(place_of(names, "stop"), place_of(names, "what is lost"));
  EXPECT_LT(place_of(names, "what is lost"), place_of(names, "configure"));
  EXPECT_LT(place_of(names, "configure"), place_of(names, "restore the data"));
  EXPECT_EQ(place_of(names, "restore the data") + 1, place_of(names, "app"));
  EXPECT_THAT(names, Not(Contains("joining")));
}

}  // namespace
}  // namespace cc::deploy
