#include "deploy/environment.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::deploy {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kAnswers = R"(cores=2
threads=4
mhz=2400.5
memory_kb=8000000
swap_kb=0
os=debian
version=12
architecture=x86_64
kernel=6.1.0-18-amd64
libc=2.36
open_files=524288
setting=net.core.somaxconn 128
setting=fs.file-max 9223372036854775807
systemd=yes
root=yes
package=postgresql 15+248
installable=redis-server 5:7.0.15-1~deb12u7
libstdcxx=12.2.0-14
port=22
port=7848
disk_kb=50000000
iops=1234.5
bandwidth=88.25
latency=10.0.0.2 0.25
done=yes
)";

class Environment : public testing::Test {
 protected:
  Finding find(std::string_view check) {
    const auto findings = check_host(topology, topology.hosts[0], facts);
    const auto at = std::ranges::find(findings, check, &Finding::check);
    return at == findings.end() ? Finding{.host = {}, .check = "nothing was told", .message = {}} : *at;
  }
  Verdict verdict(std::string_view check) { return find(check).verdict; }

  Topology topology = read_topology(R"(name: shop
hosts: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}, c: {address: 10.0.0.3}}
components: {app: {hosts: [a, b, c]}}
requirements:
  hardware: {cpu: {cores: 2, frequency: 2.4}, memory: {total: 8}, disk: {total: 60, iops: 1000}, network: {latency: 1}}
  software:
    os: {name: debian, version: ">=12 <14"}
    runtime: {kernel: ">=6.5"}
    dependencies:
      - {name: postgresql, version: ">=15 <18", type: database}
      - {name: redis-server, version: ">=7", type: cache}
      - {name: rabbitmq-server, type: message_queue}
)",
                                    "topology.yaml")
                          .value();
  Facts facts = read_facts(kAnswers).value();
};

TEST_F(Environment, holds_hardware_against_what_is_required) {
  EXPECT_EQ(verdict("cpu cores"), Verdict::pass);
  EXPECT_EQ(verdict("cpu frequency"), Verdict::pass);
  EXPECT_EQ(verdict("memory"), Verdict::pass);
  EXPECT_EQ(verdict("disk free"), Verdict::fail);
  EXPECT_THAT(find("disk free").message, HasSubstr("51.2 GB, required 60"));
  EXPECT_EQ(verdict("disk iops"), Verdict::pass);
  EXPECT_EQ(find("swap").check, "nothing was told") << "it is not required";
}

TEST_F(Environment, tells_what_was_not_looked_at) {
  facts.cores.reset();
  facts.kernel.clear();
  EXPECT_EQ(verdict("cpu cores"), Verdict::not_tested);
  EXPECT_EQ(verdict("kernel"), Verdict::not_tested);
  EXPECT_EQ(verdict("clock"), Verdict::not_tested);
  EXPECT_EQ(verdict("network to c"), Verdict::not_tested);
}

TEST_F(Environment, holds_software_against_ranges_of_versions) {
  EXPECT_EQ(verdict("os version"), Verdict::pass);
  EXPECT_EQ(verdict("kernel"), Verdict::fail);
  EXPECT_EQ(verdict("postgresql"), Verdict::pass);
  EXPECT_THAT(find("redis-server").message, HasSubstr("can be installed"));
  EXPECT_EQ(verdict("redis-server"), Verdict::pass);
  EXPECT_EQ(verdict("rabbitmq-server"), Verdict::fail);
  facts.systemd = false;
  EXPECT_EQ(verdict("systemd"), Verdict::fail);
}

TEST_F(Environment, tells_whether_there_is_what_the_archive_in_backups_needs) {
  EXPECT_EQ(find("postgresql-client").check, "nothing was told");
  EXPECT_THAT(facts_script(topology, topology.hosts[0]), Not(HasSubstr("postgresql-client")));
  topology.app.settings["backup.archive"] = "included";
  EXPECT_THAT(facts_script(topology, topology.hosts[0]), HasSubstr("package 'postgresql-client'\n"));
  EXPECT_EQ(verdict("postgresql-client"), Verdict::fail);
  facts.installable["postgresql-client"] = "15+248";
  EXPECT_EQ(verdict("postgresql-client"), Verdict::pass);
}

TEST_F(Environment, a_port_that_is_taken_fails_unless_the_installation_is_there) {
  EXPECT_EQ(verdict("port 8848"), Verdict::pass);
  EXPECT_EQ(verdict("port 7848"), Verdict::fail);
  EXPECT_THAT(find("port 7848").message, HasSubstr("the node's Raft needs it"));
  facts.installed = true;
  EXPECT_EQ(verdict("port 7848"), Verdict::warn);
}

TEST_F(Environment, clocks_must_be_in_step) {
  facts.clock_offset = -20ms;
  EXPECT_EQ(verdict("clock"), Verdict::pass);
  facts.clock_offset = -2s;
  EXPECT_EQ(verdict("clock"), Verdict::warn);
  EXPECT_THAT(find("clock").message, HasSubstr("2000 ms behind"));
  facts.clock_offset = 10min;
  EXPECT_EQ(verdict("clock"), Verdict::fail);
}

TEST_F(Environment, hosts_must_hear_each_other_fast_enough) {
  EXPECT_EQ(verdict("network to b"), Verdict::pass);
  facts.latency["10.0.0.2"] = 1.5;
  EXPECT_EQ(verdict("network to b"), Verdict::fail);
}

TEST_F(Environment, commands_that_need_root_must_not_ask) {
  facts.root = false;
  EXPECT_EQ(verdict("root"), Verdict::fail);
}

TEST_F(Environment, limits_of_the_kernel_are_told_and_put_right) {
  EXPECT_EQ(verdict("open files"), Verdict::pass);
  EXPECT_EQ(verdict("fs.file-max"), Verdict::pass);
  EXPECT_EQ(verdict("net.core.somaxconn"), Verdict::warn);
  const std::string repair = repair_script(topology, topology.hosts[0], facts);
  EXPECT_THAT(repair, HasSubstr("net.core.somaxconn = 4096"));
  EXPECT_THAT(repair, testing::Not(HasSubstr("file-max")));
  facts.kernel_settings["net.core.somaxconn"] = 4096;
  EXPECT_EQ(repair_script(topology, topology.hosts[0], facts), "");
  facts.open_files = 1024;
  EXPECT_EQ(verdict("open files"), Verdict::warn);
}

TEST_F(Environment, folders_that_cannot_be_written_to_fail) {
  EXPECT_EQ(find("folders").check, "nothing was told");
  facts.read_only = {"/opt"};
  EXPECT_EQ(verdict("folders"), Verdict::fail);
}

TEST(Facts, of_a_host_that_did_not_finish_are_none) {
  EXPECT_FALSE(read_facts("cores=2\n"));
  EXPECT_FALSE(read_facts(""));
}

TEST(Facts, that_make_no_sense_are_left_out) {
  const Facts facts = read_facts("cores=many\nmemory_kb=\nport=99999\nport=x\nlatency=10.0.0.1\ndone=yes\n").value();
  EXPECT_FALSE(facts.cores);
  EXPECT_FALSE(facts.memory);
  EXPECT_TRUE(facts.taken.empty());
  EXPECT_TRUE(facts.latency.empty());
}

TEST(Facts, are_asked_of_this_machine) {
  const Topology topology = read_topology(
                                "name: x\nhosts: {here: {local: true}}\ncomponents: {app: {hosts: [here]}}\n"
                                "requirements: {software: {dependencies: [{name: no-such-package}]}}\n",
                                "t")
                                .value();
  const SystemClock clock;
  const auto facts =
      ask_facts(*connect(topology, topology.hosts[0]), topology, topology.hosts[0], clock, {clock, clock.now() + 1min});
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_GE(facts->threads.value(), 1u);
  EXPECT_GT(facts->memory.value(), 0.1);
  EXPECT_GT(facts->disk.value(), 0);
  EXPECT_FALSE(facts->kernel.empty());
  EXPECT_FALSE(facts->libc.empty());
  EXPECT_TRUE(facts->packages.empty());
  EXPECT_EQ(facts->clock_offset.value(), 0ms);
}

TEST(Ssh, is_asked_without_questions_and_with_known_keys_only) {
  const Topology topology = read_topology(R"(name: x
hosts:
  a: {address: 10.0.0.1, ssh: {user: deploy, port: 2222, key: /k, jump: b}}
  b: {address: 10.0.0.2, ssh: {user: admin}}
components: {app: {hosts: [a]}}
)",
                                          "t")
                                .value();
  const auto arguments = ssh_arguments(topology, topology.host("a"));
  EXPECT_THAT(arguments, testing::IsSupersetOf({"BatchMode=yes", "StrictHostKeyChecking=yes", "2222", "/k",
                                                "admin@10.0.0.2", "deploy@10.0.0.1"}));
  EXPECT_EQ(arguments.back(), "deploy@10.0.0.1");
}

TEST(Ssh, that_does_not_get_there_says_what_to_do) {
  const Topology topology =
      read_topology("name: x\nhosts: {a: {address: 127.0.0.1, ssh: {port: 1}}}\ncomponents: {app: {hosts: [a]}}\n", "t")
          .value();
  const auto answer = connect(topology, topology.hosts[0])->run("true", {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("a cannot be reached"));
}

}  // namespace
}  // namespace cc::deploy
