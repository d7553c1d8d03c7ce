#include "deploy/load_balancer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/test_installation.h"

namespace cc::deploy {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kHaproxy = "/etc/haproxy/haproxy.cfg";
constexpr std::string_view kKeepalived = "/etc/keepalived/keepalived.conf";

RenderedFiles files_on(const Topology& topology, std::string_view host) {
  return load_balancer_files(topology, test_secrets(), topology.host(host));
}
std::string text_on(const Topology& topology, std::string_view host, std::string_view path) {
  return file_at(files_on(topology, host), path).content;
}

TEST(LoadBalancer, files_of_both_are_as_agreed) {
  const Topology topology = whole_topology();
  for (const char* host : {"lb1", "lb2"})
    expect_golden("load_balancer", topology.host(host), files_on(topology, host));
}

TEST(LoadBalancer, has_no_files_where_it_does_not_run) {
  Topology topology = whole_topology();
  EXPECT_THAT(files_on(topology, "app1"), IsEmpty());
  topology.load_balancer.reset();
  EXPECT_THAT(files_on(topology, "lb1"), IsEmpty());
}

TEST(LoadBalancer, without_a_virtual_address_has_no_keepalived) {
  Topology topology = whole_topology();
  topology.load_balancer->virtual_address.clear();
  const RenderedFiles files = files_on(topology, "lb1");
  EXPECT_TRUE(has_file(files, kHaproxy));
  for (const RenderedFile& file : files)
    EXPECT_THAT(file.path + file.content, Not(HasSubstr("keepalived")));
}

TEST(LoadBalancer, passes_to_every_node_under_the_name_of_its_host) {
  Topology topology = whole_topology();
  topology.app.port = 8999;
  topology.app.hosts = {"app2", "app1"};
  const std::string text = text_on(topology, "lb1", kHaproxy);
  EXPECT_THAT(text, HasSubstr("    server app2 10.0.0.22:8999\n    server app1 10.0.0.21:8999\n"));
  EXPECT_THAT(text, Not(HasSubstr("app3")));
}

TEST(LoadBalancer, listens_on_the_ports_that_it_is_given) {
  Topology topology = whole_topology();
  topology.load_balancer->port = 8080;
  topology.load_balancer->stats_port = 9404;
  const std::string text = text_on(topology, "lb1", kHaproxy);
  EXPECT_THAT(text, HasSubstr("    bind :8080\n"));
  EXPECT_THAT(text, HasSubstr("    bind :9404\n"));
  EXPECT_THAT(text_on(topology, "lb1", "/usr/libexec/config-center/check_haproxy"), HasSubstr("127.0.0.1/9404"));
}

TEST(LoadBalancer, with_addresses_of_IPv6_listens_on_both) {
  Topology topology = whole_topology();
  topology.hosts[0].address = "fd00::11";
  topology.hosts[2].address = "fd00::21";
  const std::string text = text_on(topology, "lb1", kHaproxy);
  EXPECT_THAT(text, HasSubstr("    bind [::]:80 v4v6\n"));
  EXPECT_THAT(text, HasSubstr("    server app1 [fd00::21]:8848\n"));
}

TEST(LoadBalancer, tells_whether_it_has_the_virtual_address) {
  const std::string text = text_on(whole_topology(), "lb1", "/usr/libexec/config-center/check_haproxy");
  EXPECT_THAT(text, HasSubstr("ip -o address show to 10.0.0.10)"));
  EXPECT_THAT(text, HasSubstr("echo 'config_center_virtual_address_held{address=\"10.0.0.10\"}' \"$held\" > "));
}

TEST(LoadBalancer, that_is_named_first_takes_the_virtual_address_when_all_begin) {
  Topology topology = whole_topology();
  topology.load_balancer->hosts = {"lb2", "lb1", "monitor1"};
  EXPECT_THAT(text_on(topology, "lb2", kKeepalived), HasSubstr("priority 120\n"));
  EXPECT_THAT(text_on(topology, "lb1", kKeepalived), HasSubstr("priority 110\n"));
  EXPECT_THAT(text_on(topology, "monitor1", kKeepalived), HasSubstr("priority 100\n"));
}

TEST(LoadBalancer, speaks_to_all_others_of_the_virtual_address_and_not_to_itself) {
  Topology topology = whole_topology();
  topology.load_balancer->hosts = {"lb1", "lb2", "monitor1"};
  const std::string text = text_on(topology, "lb2", kKeepalived);
  EXPECT_THAT(text, HasSubstr("unicast_src_ip 10.0.0.12\n"));
  EXPECT_THAT(text, HasSubstr("unicast_peer {\n        10.0.0.11\n        10.0.0.51\n    }\n"));
}

TEST(LoadBalancer, keeps_its_passwords_from_other_users_and_from_plans) {
  for (const RenderedFile& file : files_on(whole_topology(), "lb1")) {
    const bool has_one = file.content.contains(test_secrets().statistics) || file.content.contains(test_secrets().vrrp);
    EXPECT_EQ(file.secret, has_one) << file.path;
    if (has_one) EXPECT_EQ(file.mode & 0007, 0u) << file.path;
  }
}

}  // namespace
}  // namespace cc::deploy
