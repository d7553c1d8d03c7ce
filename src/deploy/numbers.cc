#include "deploy/numbers.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/host_port.h"

namespace cc::deploy {
namespace {

namespace json = boost::json;

}  // namespace

Result<Numbers> Numbers::read(const Path& file) {
  auto text = read_file(file);
  if (!text && text.error().code == Code::not_found) return Numbers();
  if (!text) return fail(std::move(text).error());
  const auto broken = [&] {
    return fail(
        Code::corruption,
        fmt::format("{} does not say which number each node has: take it from a copy, or write it by the nodes' "
                    "raft.node_id",
                    file.string()));
  };
  boost::system::error_code error;
  const json::value value = json::parse(*text, error);
  if (error || !value.is_object()) return broken();
  Numbers numbers;
  for (const auto& member : value.get_object()) {
    if (!member.value().is_object()) return broken();
    const json::object& from = member.value().get_object();
    const auto *number = from.if_contains("number"), *founder = from.if_contains("founder"),
               *left = from.if_contains("left"), *address = from.if_contains("address");
    if (number == nullptr || !number->is_int64() || founder == nullptr || !founder->is_bool() || left == nullptr ||
        !left->is_bool() || address == nullptr || !address->is_string())
      return broken();
    numbers.nodes_[member.key()] = {.number = static_cast<std::uint64_t>(number->get_int64()),
                                    .founder = founder->get_bool(),
                                    .address = std::string(address->get_string()),
                                    .left = left->get_bool()};
  }
  return numbers;
}

Result<> Numbers::keep(const Path& file) const {
  json::object all;
  for (const auto& [host, node] : nodes_)
    all[host] = {{"number", node.number}, {"founder", node.founder}, {"address", node.address}, {"left", node.left}};
  TRYV(make_directories(file.parent_path(), 0700));
  return write_file(file, json::serialize(all) + "\n", 0600);
}

void Numbers::apply(App& app, const Topology& topology) {
  const bool first = nodes_.empty();
  std::uint64_t most = 0;
  for (const auto& [host, node] : nodes_)
    most = std::max(most, node.number);
  for (auto& [host, node] : nodes_) {
    if (is_among(host, app.hosts)) continue;
    node.left = true;
  }
  for (const std::string& host : app.hosts) {
    Node& node = nodes_[host];
    // Who has left and comes back is another node: what the old one had promised is forgotten.
    if (node.number == 0 || node.left) node = {.number = ++most, .founder = first, .address = {}, .left = false};
    node.address = host_and_port(topology.host(host).address, app.raft_port);
  }
  app.numbers.clear();
  app.joined.clear();
  app.founders.clear();
  app.left.clear();
  for (const auto& [host, node] : nodes_) {
    if (node.founder) app.founders[node.number] = node.address;
    if (node.left) {
      app.left[host] = node.number;
      continue;
    }
    app.numbers[host] = node.number;
    if (!node.founder) app.joined.push_back(host);
  }
}

}  // namespace cc::deploy
