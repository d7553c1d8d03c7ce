#include "playground/layout.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace cc::playground {
namespace {

constexpr Port kFirst = 15000, kLast = 31999;  // below those that Linux gives to connections
constexpr int kTries = 10'000;

Path file_in(const Path& folder) {
  return folder / "playground.json";
}

bool is_free(Port port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return free;
}

Result<Ports> free_ports(const std::vector<std::string>& names) {
  std::random_device random;
  std::uniform_int_distribution<unsigned> any(kFirst, kLast);
  Ports ports;
  for (int tries = 0; ports.size() < names.size() && tries < kTries; ++tries) {
    const auto port = static_cast<Port>(any(random));
    const bool ours = std::ranges::any_of(ports, [&](const auto& each) { return each.second == port; });
    if (!ours && is_free(port)) ports[names[ports.size()]] = port;
  }
  if (ports.size() < names.size()) return fail(Code::exhausted, "there are not enough free ports");
  return ports;
}

Layout layout_of(const boost::json::object& json) {
  Layout layout{.nodes = json.at("nodes").to_number<unsigned>(), .full = json.at("full").as_bool()};
  for (const auto& [name, port] : json.at("ports").as_object())
    layout.ports[std::string(name)] = port.to_number<Port>();
  return layout;
}

}  // namespace

std::string numbered(std::string_view name, unsigned number) {
  return fmt::format("{}{}", name, number);
}

std::vector<std::string> port_names(unsigned nodes, bool full) {
  std::vector<std::string> names;
  const auto add = [&](std::string_view name, unsigned count, std::initializer_list<std::string_view> more = {}) {
    for (unsigned number = 1; number <= count; ++number) {
      names.push_back(numbered(name, number));
      for (const std::string_view each : more)
        names.push_back(fmt::format("{}.{}", numbered(name, number), each));
    }
  };
  if (full) add("haproxy", kBalancers, {"statistics"});
  add("node", nodes, {"raft", "metrics"});
  if (!full) return names;
  add("postgres", kDatabases, {"exporter"});
  add("redis", kCaches, {"exporter"});
  add("sentinel", kSentinels);
  for (const char* name : {"prometheus", "alertmanager", "grafana", "machine-exporter"})
    names.emplace_back(name);
  return names;
}

Result<Ports> choose_ports(const std::vector<std::string>& names, std::optional<Port> base) {
  if (!base) return free_ports(names);
  if (*base + names.size() > 65'536) {
    return fail(Code::invalid_argument,
                fmt::format("{} ports are needed, and from {} on there are not so many", names.size(), *base));
  }
  Ports ports;
  for (Port next = *base; const std::string& name : names)
    ports[name] = next++;
  TRYV(must_be_free(ports));
  return ports;
}

Result<> must_be_free(const Ports& ports) {
  for (const auto& [name, port] : ports) {
    if (!is_free(port))
      return fail(Code::already_exists, fmt::format("port {}, for {}, is taken by another program", port, name));
  }
  return {};
}

Result<std::optional<Layout>> read_layout(const Path& folder) {
  auto text = read_file(file_in(folder));
  if (!text && text.error().code == Code::not_found) return std::nullopt;
  if (!text) return fail(std::move(text).error());
  try {
    return layout_of(boost::json::parse(*text).as_object());
  } catch (const std::exception& e) {
    return fail(Code::corruption, fmt::format("{} is not a playground's: {}", file_in(folder).string(), e.what()));
  }
}

Result<> keep_layout(const Path& folder, const Layout& layout) {
  boost::json::object ports;
  for (const auto& [name, port] : layout.ports)
    ports[name] = port;
  return write_file(file_in(folder), boost::json::serialize(boost::json::object{
                                         {"nodes", layout.nodes}, {"full", layout.full}, {"ports", std::move(ports)}}) +
                                         "\n");
}

}  // namespace cc::playground
