#include "deploy/network.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "base/text.h"
#include "deploy/cache.h"
#include "deploy/database.h"
#include "deploy/in_parallel.h"
#include "deploy/ports.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 2min;

// In a child for each connection, so that none waits for another.
constexpr std::string_view kListen = R"perl(
use strict; use IO::Socket::IP; use IO::Select;
$SIG{CHLD} = 'IGNORE';
alarm 100;  # should nobody end it
my $all = IO::Select->new;
for my $port (@ARGV) {
  my @how = (LocalPort => $port, Listen => 64, ReuseAddr => 1);
  # Both families, or the one that there is.
  my $socket = IO::Socket::IP->new(LocalHost => '::', V6Only => 0, @how) || IO::Socket::IP->new(LocalHost => '0.0.0.0', @how);
  $all->add($socket) if $socket;
}
while ($all->count) {
  for my $socket ($all->can_read) {
    my $client = $socket->accept or next;
    next if fork;
    my ($bytes, $over, $buffer) = (0, 0, '');
    $SIG{ALRM} = sub { $over = 1 };
    alarm 1;
    until ($over) {
      my $count = sysread $client, $buffer, 1 << 20;
      last unless $count;
      $bytes += $count;
    }
    syswrite $client, "$bytes\n";
    $SIG{ALRM} = 'DEFAULT';
    alarm 3;
    1 while sysread $client, $buffer, 1 << 20;  # else it could be reset before the answer is read
    exit;
  }
}
)perl";

// Who is refused tries again, since nobody may listen yet; of whom nothing is heard there is no more to hear.
constexpr std::string_view kReach = R"perl(
use strict; use Errno; use IO::Socket::IP;
my %left = map { $_ => 1 } @ARGV;
for my $round (1 .. 30) {
  for my $way (sort keys %left) {
    my ($name, $address, $port) = split / /, $way;
    my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port, Timeout => 1);
    print "reached=$name $port\n" if $socket;
    delete $left{$way} if $socket || $!{ETIMEDOUT};
  }
  last unless %left;
  select undef, undef, undef, 0.3;
}
)perl";

constexpr std::string_view kSend = R"perl(
use strict; use IO::Socket::IP; use IO::Select;
$SIG{PIPE} = 'IGNORE';
alarm 5;
my $socket = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1], Timeout => 1) or exit;
my $answer = IO::Select->new($socket);
my $block = "\0" x (1 << 18);
until ($answer->can_read(0)) { last unless syswrite $socket, $block; }
my $line = <$socket>;
print "bytes=$line";
)perl";

std::string perl(std::string_view program, std::string_view arguments) {
  return fmt::format("perl - {}{}", arguments, here_document(program));
}

// Tells each who connects how many bytes came in a second.
std::string listen_script(const std::vector<Port>& ports, const std::string& process_file) {
  return fmt::format("listen() {{ exec perl - {}{}}}\nlisten &\necho $! >{}\nwait || true\n", fmt::join(ports, " "),
                     here_document(kListen), process_file);
}

// "reached=NAME PORT" for each that is.
std::string reach_script(const Topology& topology, const std::vector<Way>& ways) {
  std::string arguments;
  for (const Way& way : ways)
    arguments += shell_word(fmt::format("{} {} {}", way.to, topology.host(way.to).address, way.port)) + " ";
  return perl(kReach, arguments);
}

// "bytes=N", in a second.
std::string bandwidth_script(const Host& to, Port port) {
  return perl(kSend, fmt::format("{} {}", shell_word(to.address), port));
}

// Who must reach a port, by its place in the topology.
std::vector<std::string> who_needs(const Topology& topology, std::string_view place) {
  const std::vector<std::string> none;
  const std::vector<std::string>& nodes = topology.app.hosts;
  const std::vector<std::string> databases = topology.database ? hosts_of(*topology.database) : none;
  const std::vector<std::string> caches = topology.cache ? hosts_of(*topology.cache) : none;
  const std::vector<std::string>& sentinels = topology.cache ? topology.cache->sentinels : none;
  const std::vector<std::string>& balancers = topology.load_balancer ? topology.load_balancer->hosts : none;
  const auto together = [](std::initializer_list<std::vector<std::string>> lists) {
    std::vector<std::string> all;
    for (const auto& list : lists)
      all.insert(all.end(), list.begin(), list.end());
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    return all;
  };
  if (place == "components.app.port") return together({balancers, nodes});
  if (place == "components.app.raft_port") return nodes;
  if (place == "components.database.port") return together({nodes, databases});
  if (place == "components.cache.port") return together({nodes, caches, sentinels});
  if (place == "components.cache.sentinel_port") return together({nodes, sentinels});
  if (place == "components.load_balancer.port") return nodes;
  if (place == "components.prometheus.port" && topology.grafana) return {topology.grafana->host};
  if (topology.prometheus) return {topology.prometheus->host};  // the metrics of all others
  return {};
}

// Pairs in rounds, in each of which a host is in one pair at most: as in a tournament.
std::vector<std::vector<std::pair<std::string, std::string>>> rounds_of(std::vector<std::string> hosts) {
  if (hosts.size() % 2 != 0) hosts.emplace_back();  // who is with it has a rest
  std::vector<std::vector<std::pair<std::string, std::string>>> rounds;
  const std::size_t count = hosts.size();
  for (std::size_t round = 0; round + 1 < count; ++round) {
    auto& pairs = rounds.emplace_back();
    for (std::size_t i = 0; i < count / 2; ++i) {
      const std::string &one = hosts[i], &other = hosts[count - 1 - i];
      if (!one.empty() && !other.empty()) pairs.emplace_back(one, other);
    }
    std::ranges::rotate(hosts.begin() + 1, hosts.end() - 1, hosts.end());
  }
  return rounds;
}

class Measuring {
 public:
  Measuring(const Hosts& hosts, const std::map<std::string, Facts>& facts) : hosts_(hosts) {
    for (const auto& [name, found] : facts) {
      if (!found.root) continue;
      network_.asked.insert(name);
      names_.push_back(name);
      for (const TakenPort& each : ports_of(hosts_.topology, name))
        if (!found.taken.contains(each.port)) free_[name].push_back(each.port);
    }
  }

  Network run() {
    std::vector<std::jthread> listening;
    listening.reserve(free_.size());
    for (const auto& [name, ports] : free_) {
      listening.emplace_back([&name, &ports, this] { ask(name, listen_script(ports, process_file(name))); });
    }
    in_parallel(names_, names_.size(), [this](const std::string& name) { reach(name); });
    for (const auto& pairs : rounds_of(names_))
      in_parallel(pairs, pairs.size(), [this](const auto& pair) { send(pair.first, pair.second); });
    in_parallel(names_, names_.size(), [this](const std::string& name) {
      ask(name, fmt::format("kill $(cat {0} 2>/dev/null) 2>/dev/null || true\nrm -f {0}\n", process_file(name)));
    });
    return std::move(network_);
  }

 private:
  std::optional<std::string> ask(const std::string& name, const std::string& script) const {
    const auto connection = hosts_.connect(hosts_.topology.host(name));
    auto ran = connection->run(as_root(script), {hosts_.clock, hosts_.clock.now() + kPatience});
    if (!ran) return std::nullopt;
    return std::move(ran->output);
  }

  std::string process_file(const std::string& name) const {
    return fmt::format("/var/tmp/config-center-check-{}-{}", run_, name);
  }

  void reach(const std::string& name) {
    std::vector<Way> ways = ways_of(hosts_.topology);
    std::erase_if(ways, [&](const Way& way) { return way.from != name || !network_.asked.contains(way.to); });
    if (ways.empty()) return;
    const auto told = ask(name, reach_script(hosts_.topology, ways));
    if (!told) return;
    for (const std::string_view line : split(*told, '\n')) {
      const auto blank = line.find(' ');
      if (!line.starts_with("reached=") || blank == std::string_view::npos) continue;
      const auto port = parse_uint(trim(line.substr(blank)), "port");
      if (!port) continue;
      const std::lock_guard lock(mutex_);
      network_.reached.emplace(name, line.substr(8, blank - 8), static_cast<Port>(*port));
    }
  }

  void send(const std::string& from, const std::string& to) {
    const auto free = free_.find(to);
    if (free == free_.end()) return;
    const auto told = ask(from, bandwidth_script(hosts_.topology.host(to), free->second.front()));
    if (!told || !told->starts_with("bytes=")) return;
    const auto bytes = parse_uint(trim(std::string_view(*told).substr(6)), "bytes");
    if (!bytes) return;
    const std::lock_guard lock(mutex_);
    network_.megabits[{from, to}] = network_.megabits[{to, from}] = static_cast<double>(*bytes) * 8 / 1e6;
  }

  const Hosts& hosts_;
  const std::string run_ = random_id();
  std::vector<std::string> names_;
  std::map<std::string, std::vector<Port>> free_;
  std::mutex mutex_;
  Network network_;  // what was found: guarded by mutex_
};

}  // namespace

std::vector<Way> ways_of(const Topology& topology) {
  std::vector<Way> ways;
  for (const Host& host : topology.hosts) {
    for (const TakenPort& each : ports_of(topology, host.name)) {
      for (const std::string& from : who_needs(topology, each.place)) {
        if (from != host.name) ways.push_back({.from = from, .to = host.name, .port = each.port, .whose = each.whose});
      }
    }
  }
  return ways;
}

Network measure_network(const Hosts& hosts, const std::map<std::string, Facts>& facts) {
  return Measuring(hosts, facts).run();
}

std::vector<Finding> check_network(const Topology& topology, const Host& host, const Network& network) {
  std::vector<Finding> findings;
  const auto tell = [&](std::string check, Verdict verdict, std::string message) {
    findings.push_back(
        {.host = host.name, .check = std::move(check), .verdict = verdict, .message = std::move(message)});
  };
  const bool is_asked = network.asked.contains(host.name);
  const std::vector<Way> ways = ways_of(topology);
  const double required = topology.requirements.hardware.network.bandwidth;
  std::string not_measured;
  for (const Host& other : topology.hosts) {
    if (other.name == host.name) continue;
    const bool both = is_asked && network.asked.contains(other.name);
    std::string reached, not_reached;
    for (const Way& way : ways) {
      if (way.from != host.name || way.to != other.name) continue;
      const bool is_reached = network.reached.contains({way.from, way.to, way.port});
      std::string& list = is_reached ? reached : not_reached;
      list +=
          fmt::format("{}{}{}", list.empty() ? "" : ", ", way.port, is_reached ? "" : fmt::format(" ({})", way.whose));
    }
    const std::string ports = fmt::format("ports of {}", other.name);
    if (!both && !(reached.empty() && not_reached.empty())) {
      tell(ports, Verdict::not_tested, "not both hosts could be asked, as root");
    } else if (!not_reached.empty()) {
      tell(ports, Verdict::fail, fmt::format("not reached: {}; is there a firewall between them?", not_reached));
    } else if (!reached.empty()) {
      tell(ports, Verdict::pass, fmt::format("reached: {}", reached));
    }
    const auto found = network.megabits.find({host.name, other.name});
    if (found == network.megabits.end()) {
      not_measured += fmt::format("{}{}", not_measured.empty() ? "" : ", ", other.name);
    } else {
      tell(
          fmt::format("bandwidth to {}", other.name),
          required == 0 || found->second >= required ? Verdict::pass : Verdict::fail,
          fmt::format("{:.0f} Mbps{}", found->second, required == 0 ? "" : fmt::format(", required {:.4g}", required)));
    }
  }
  if (!not_measured.empty()) {
    tell("bandwidth", Verdict::not_tested,
         fmt::format("to {}: it is measured through ports of the installation, as long as nobody has them",
                     not_measured));
  }
  return findings;
}

}  // namespace cc::deploy
