#include <algorithm>
#include <chrono>
#include <thread>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kPause = 200ms;
constexpr auto kPatience = 10s;  // for the nodes to come to the same entry of the log

std::string yes_or_no(const std::string& boolean) {
  return boolean.empty() ? "-" : boolean == "true" ? "yes" : "no";
}

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

std::string members_text(const json::value& node) {
  Table members({"NODE", "ADDRESS", "MEMBERSHIP", "LEADER", "REACHABLE", "BEHIND"});
  for (const json::value& each : node.at("members").as_array())
    members.add({member_text(each, "node"), member_text(each, "address"), member_text(each, "membership"),
                 yes_or_no(member_text(each, "leads")), yes_or_no(member_text(each, "reachable")),
                 or_dash(member_text(each, "behind"))});
  return members.to_text();
}

std::string status_text(const json::value& node) {
  const auto of = [&](std::string_view name) { return member_text(node, name); };
  const std::string leader =
      of("leader_id") == "0" ? "nobody: changes wait for one" : fmt::format("node {}", of("leader_id"));
  std::string out = fmt::format(
      "cluster   {}\nnode      {} ({}), version {}\nleader    {}, term {}\nrevision  {}\n"
      "log       entries {} to {}, the last of term {}, committed {}, applied {}\n",
      of("cluster_id"), of("node_id"), of("role"), of("version"), leader, of("term"), of("revision"), of("first"),
      of("last"), of("last_term"), of("commit"), of("applied"));
  if (of("stale") == "true")
    out += "stale     no leader was heard of for a while: what this node tells may be older than what others have\n";
  if (!of("trouble").empty()) out += fmt::format("trouble   {}\n", of("trouble"));
  std::string line;
  for (const auto& [name, count] : node.at("counts").as_object())
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", json::serialize(count), std::string_view(name));
  out += fmt::format("holds     {}\n", line);
  if (const auto* sum = node.as_object().if_contains("checksum")) {
    out += fmt::format("checksum  {} at revision {}, entry {}\n", member_text(*sum, "sha256"),
                       member_text(*sum, "revision"), member_text(*sum, "applied"));
  }
  return out + "\n" + members_text(node);
}

Result<> status(Session& session, bool checksum) {
  TRY(const json::value node, session.get_json(with_query("/v1/cluster", {{"checksum", checksum ? "true" : ""}})));
  if (member_text(node, "role") != "leader" && node.at("members").as_array().size() > 1 &&
      member_text(node, "leader_id") != "0") {
    session.notice = fmt::format("who is reachable, and how far behind, is known to the leader: ask node {}",
                                 member_text(node, "leader_id"));
  }
  return session.print(node, [&] { return status_text(node); });
}

// --- comparing nodes ---

struct Sum {
  json::value cluster;  // its id
  json::value node;     // as it is printed: number, server, and what was summed
  std::string of(std::string_view name) const { return member_text(node, name); }
};

Result<Sum> sum_of(Session& session, const std::string& server, const std::string& min_revision) {
  TRY(const http::ClientResponse answer,
      session.send_to(server,
                      {.target = with_query("/v1/cluster", {{"checksum", "true"}, {"min_revision", min_revision}})}));
  if (answer.status >= 400) return fail(session.error_of_answer(answer).with_context(server));
  TRY(const json::value node, session.json_of(answer));
  const json::value& sum = node.at("checksum");
  return Sum{.cluster = node.at("cluster_id"),
             .node = {{"node", node.at("node_id")},
                      {"server", server},
                      {"revision", sum.at("revision")},
                      {"applied", sum.at("applied")},
                      {"sha256", sum.at("sha256")}}};
}

// All at the same entry of the log: those that are behind are asked again, since only then they can be compared.
Result<std::vector<Sum>> comparable_sums(Session& session, const std::vector<std::string>& servers) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  std::string newest;
  for (;;) {
    std::vector<Sum> sums;
    for (const std::string& server : servers) {
      TRY(Sum sum, sum_of(session, server, newest));
      newest = sum.of("revision");
      const auto same = [&](const Sum& other) {
        return other.cluster == sum.cluster && other.of("node") == sum.of("node");
      };
      if (const auto twice = std::ranges::find_if(sums, same); twice != sums.end()) {
        return wrong_usage(fmt::format("{} and {} are both node {}: name each node once", twice->of("server"),
                                       sum.of("server"), sum.of("node")));
      }
      sums.push_back(std::move(sum));
    }
    const auto same = [&](const Sum& sum) { return sum.of("applied") == sums.front().of("applied"); };
    if (std::ranges::all_of(sums, same)) return sums;
    if (std::chrono::steady_clock::now() >= give_up) {
      return fail(Code::unavailable,
                  "the nodes were never at the same entry of the log when they were asked, so they cannot be compared: "
                  "try again while nothing is changed");
    }
    std::this_thread::sleep_for(kPause);
  }
}

Result<> compare(Session& session, const std::vector<std::string>& servers) {
  TRY(const std::vector<Sum> sums, comparable_sums(session, servers));
  const bool identical =
      std::ranges::all_of(sums, [&](const Sum& sum) { return sum.of("sha256") == sums.front().of("sha256"); });
  json::array nodes;
  Table table({"NODE", "SERVER", "REVISION", "ENTRY", "CHECKSUM"});
  for (const Sum& sum : sums) {
    nodes.push_back(sum.node);
    table.add({sum.of("node"), sum.of("server"), sum.of("revision"), sum.of("applied"), sum.of("sha256")});
  }
  TRYV(session.print({{"identical", identical}, {"nodes", std::move(nodes)}}, [&] {
    return fmt::format("{}\n{} at revision {}\n", table.to_text(), identical ? "identical" : "different",
                       sums.front().of("revision"));
  }));
  if (identical) return {};
  return fail(Code::corruption,
              "the nodes hold different states of the same log: report this; a node that is wrong is made right by "
              "stopping it, wiping its data folder, and starting it again, so that it takes all from the leader");
}

}  // namespace

void add_cluster_status(CLI::App& group, Session& session) {
  auto checksum = std::make_shared<bool>(false);
  CLI::App* command = add_command(group, "status", "Show the nodes, who leads, and how far the log is");
  command->add_flag("--checksum", *checksum,
                    "Also a checksum of all that the node holds; with several servers, compare theirs");
  command->footer(
      examples({"config-center cluster status", "config-center cluster status -o json",
                "config-center cluster status --checksum --server http://10.0.0.1:8848,http://10.0.0.2:8848"}));
  on_run(*command, session, [&session, checksum]() -> Result<> {
    TRY(const std::vector<std::string> servers, session.servers());
    if (*checksum && servers.size() > 1) return compare(session, servers);
    return status(session, *checksum);
  });
}

}  // namespace cc::cli
