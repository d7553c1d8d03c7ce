#include "deploy/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/folder_host.h"

namespace cc::deploy {
namespace {

using testing::HasSubstr;

// A port that nobody has; somebody else could take it until it is used, but the system gives others first.
Port free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

Finding find(const std::vector<Finding>& findings, std::string_view check) {
  const auto at = std::ranges::find(findings, check, &Finding::check);
  return at == findings.end() ? Finding{.host = {}, .check = "nothing was told", .message = {}} : *at;
}

class NetworkCheck : public testing::Test {
 protected:
  NetworkCheck() {
    topology.app.port = free_port();
    topology.app.raft_port = free_port();
    topology.app.metrics_port = free_port();
  }

  Topology topology = read_topology(R"(name: shop
hosts: {a: {address: 127.0.0.1}, b: {address: 127.0.0.2}, c: {address: 127.0.0.3}}
components: {app: {hosts: [a, b, c]}}
)",
                                    "topology.yaml")
                          .value();
  SystemClock clock;
};

TEST_F(NetworkCheck, tells_which_host_must_reach_which_port) {
  topology.prometheus.emplace().host = "b";
  const auto ways = ways_of(topology);
  const auto has = [&](const char* from, const char* to, Port port) {
    return std::ranges::any_of(ways,
                               [&](const Way& way) { return way.from == from && way.to == to && way.port == port; });
  };
  EXPECT_TRUE(has("a", "b", topology.app.raft_port));
  EXPECT_TRUE(has("b", "a", topology.app.metrics_port));
  EXPECT_FALSE(has("a", "b", topology.app.metrics_port)) << "Prometheus alone asks for them";
}

TEST_F(NetworkCheck, measures_between_all_hosts_and_leaves_nobody_behind) {
  const Facts facts{.root = true};
  const Network network =
      measure_network({.topology = topology,
                       .connect = [](const Host&) { return std::make_unique<FolderHost>("/", true); },
                       .clock = clock},
                      {{"a", facts}, {"b", facts}, {"c", facts}});
  for (const Host& host : topology.hosts) {
    const auto findings = check_network(topology, host, network);
    for (const Host& other : topology.hosts) {
      if (other.name == host.name) continue;
      EXPECT_EQ(find(findings, "ports of " + other.name).verdict, Verdict::pass);
      const Finding bandwidth = find(findings, "bandwidth to " + other.name);
      EXPECT_EQ(bandwidth.verdict, Verdict::pass) << bandwidth.message;
      EXPECT_THAT(bandwidth.message, HasSubstr("Mbps"));
    }
  }
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(topology.app.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_NE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << "somebody listens still";
  ::close(fd);
}

TEST_F(NetworkCheck, says_what_is_not_reached_and_what_is_too_slow) {
  topology.requirements.hardware.network.bandwidth = 1000;
  Network network{.asked = {"a", "b", "c"}};
  network.reached = {{"a", "b", topology.app.port}};
  network.megabits = {{{"a", "b"}, 94}};
  const auto findings = check_network(topology, topology.hosts[0], network);
  const Finding ports = find(findings, "ports of b");
  EXPECT_EQ(ports.verdict, Verdict::fail);
  EXPECT_THAT(ports.message, HasSubstr("(the node's Raft)"));
  EXPECT_EQ(find(findings, "bandwidth to b").verdict, Verdict::fail);
  EXPECT_EQ(find(findings, "bandwidth to b").message, "94 Mbps, required 1000");
  EXPECT_EQ(find(findings, "bandwidth").verdict, Verdict::not_tested);
  EXPECT_THAT(find(findings, "bandwidth").message, HasSubstr("to c"));
}

TEST_F(NetworkCheck, does_not_blame_a_host_that_could_not_be_asked) {
  const auto findings = check_network(topology, topology.hosts[0], Network{.asked = {"a", "c"}});
  EXPECT_EQ(find(findings, "ports of b").verdict, Verdict::not_tested);
  EXPECT_EQ(find(findings, "ports of c").verdict, Verdict::fail);
}

}  // namespace
}  // namespace cc::deploy
