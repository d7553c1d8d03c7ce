#include "deploy/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "deploy/folder_host.h"

namespace cc::deploy {
namespace {

using testing::HasSubstr;

class Verify : public testing::Test {
 protected:
  Verify() {
    for (const char* name : {"a", "b"}) {
      topology.hosts.push_back({.name = name, .address = name});
      EXPECT_TRUE(make_directories(directory.path() / name));
    }
  }

  void give_address_to(const char* host) { EXPECT_TRUE(write_file(directory.path() / host / "address", "")); }

  std::vector<Finding> run(const std::vector<Probe>& probes) {
    return verify({.topology = topology,
                   .connect =
                       [this](const Host& host) {
                         return std::make_unique<FolderHost>(directory.path() / host.name, host.name != away);
                       },
                   .clock = clock},
                  probes);
  }

  const std::vector<Probe> address{
      {.host = "a", .name = "one has it", .script = "[ -e address ]\n", .on_one_host = true},
      {.host = "a", .name = "other", .script = "true\n"},
      {.host = "b", .name = "one has it", .script = "[ -e address ]\n", .on_one_host = true}};
  TempDirectory directory;
  Topology topology;
  SystemClock clock;
  std::string away;
};

TEST_F(Verify, tells_what_each_probe_says) {
  const auto findings = run({{.host = "a", .name = "good", .script = "true\n"},
                             {.host = "b", .name = "bad", .script = "echo 'it is broken'; exit 1\n"}});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].verdict, Verdict::pass);
  EXPECT_EQ(findings[1].verdict, Verdict::fail);
  EXPECT_EQ(findings[1].message, "it is broken");
}

TEST_F(Verify, a_probe_may_warn) {
  const auto findings = run({{.host = "a", .name = "busy", .script = "echo 'not compared'; exit 3\n"}});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].verdict, Verdict::warn);
  EXPECT_EQ(findings[0].message, "not compared");
}

TEST_F(Verify, a_host_that_is_not_reached_fails_once) {
  away = "a";
  const auto findings =
      run({{.host = "a", .name = "first", .script = "true\n"}, {.host = "a", .name = "second", .script = "true\n"}});
  EXPECT_EQ(findings[0].verdict, Verdict::fail);
  EXPECT_EQ(findings[1].verdict, Verdict::not_tested);
}

TEST_F(Verify, what_one_host_must_have_is_one_finding) {
  give_address_to("b");
  const auto findings = run(address);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].verdict, Verdict::pass);
  EXPECT_EQ(findings[0].message, "on b");
  EXPECT_EQ(findings[1].check, "other");
}

TEST_F(Verify, what_no_host_has_fails) {
  const auto findings = run(address);
  EXPECT_EQ(findings[0].verdict, Verdict::fail);
  EXPECT_EQ(findings[0].message, "none has it");
}

TEST_F(Verify, what_two_hosts_have_fails) {
  give_address_to("a");
  give_address_to("b");
  EXPECT_EQ(run(address)[0].verdict, Verdict::fail);
  EXPECT_EQ(run(address)[0].message, "on a, b");
}

TEST_F(Verify, what_not_all_could_be_asked_for_is_not_held_for_good) {
  give_address_to("a");
  std::vector<Probe> probes = address;
  probes.insert(probes.begin(), {.host = "b", .name = "first", .script = "true\n"});
  away = "b";
  const auto findings = run(probes);
  EXPECT_EQ(findings[1].verdict, Verdict::not_tested);
  EXPECT_THAT(findings[1].message, HasSubstr("not all hosts are reached"));
}

}  // namespace
}  // namespace cc::deploy
