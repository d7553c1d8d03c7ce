#include <algorithm>
#include <chrono>
#include <thread>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/host_port.h"
#include "base/text.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr milliseconds kLook{500};  // between two looks at how far a new node is

struct Options {
  std::string member, node, wait = "10m";
  bool observer = false;
};

struct NewMember {
  std::uint64_t node = 0;
  std::string address;
};

// 4@10.0.0.4:7848
Result<NewMember> parse_member(const std::string& text) {
  const std::size_t at = text.find('@');
  const auto node = parse_uint(std::string_view(text).substr(0, at), "the node");
  const auto address = parse_host_and_port(at == std::string::npos ? "" : std::string_view(text).substr(at + 1));
  if (!node || *node == 0 || !address || address->port == 0) {
    return wrong_usage(
        fmt::format("\"{}\" is not NODE@HOST:PORT: give the raft.node_id of the new node and its raft.address, such as "
                    "4@10.0.0.4:7848",
                    text));
  }
  return NewMember{.node = *node, .address = text.substr(at + 1)};
}

std::string path_of(const std::string& node) {
  return "/v1/cluster/members/" + node;
}

// Null: it is not in the group, as far as the node asked knows.
const json::value* find_member(const json::value& group, const std::string& node) {
  const json::array& members = group.at("members").as_array();
  const auto found = std::ranges::find(members, node, [](const auto& each) { return member_text(each, "node"); });
  return found == members.end() ? nullptr : &*found;
}

Result<> must_be_member(Session& session, const std::string& node) {
  TRY(const json::value group, session.get_json("/v1/cluster"));
  if (find_member(group, node) != nullptr) return {};
  return fail(Code::not_found,
              fmt::format("there is no node {} in the group; there are: config-center cluster status", node));
}

// --- add ---

enum class CaughtUp { no, yes, unknown };

// A voter is one when it has. How far an observer is, is known to the leader, and to itself.
CaughtUp has_caught_up(const json::value& member) {
  const std::string membership = member_text(member, "membership");
  if (membership != "observer") return membership == "voter" ? CaughtUp::yes : CaughtUp::no;
  const std::string behind = member_text(member, "behind");
  if (behind.empty()) return CaughtUp::unknown;
  return behind == "0" && member_text(member, "reachable") == "true" ? CaughtUp::yes : CaughtUp::no;
}

// No: the node that is asked cannot know; what to do is in Session::notice.
Result<bool> wait_until_caught_up(Session& session, const std::string& node, milliseconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  const Waiting waiting(fmt::format("node {} catches up", node));
  for (;;) {
    auto group = session.get_json("/v1/cluster");
    if (group) {
      const json::value* member = find_member(*group, node);
      const CaughtUp how = member == nullptr ? CaughtUp::no : has_caught_up(*member);
      if (how == CaughtUp::yes) return true;
      if (how == CaughtUp::unknown && member_text(*group, "leader_id") != "0") {
        session.notice = fmt::format(
            "how far an observer has caught up is known to the leader, node {0}; ask that one: config-center cluster "
            "status --server URL-OF-NODE-{0}",
            member_text(*group, "leader_id"));
        return false;
      }
    } else if (group.error().code != Code::unavailable && group.error().code != Code::timeout) {
      return fail(std::move(group).error());
    }
    if (std::chrono::steady_clock::now() >= give_up) {
      return fail(Code::timeout,
                  fmt::format("node {} is in the group and has not caught up within {}: is it started? It goes on by "
                              "itself; look with: config-center cluster status",
                              node, format_duration(patience)));
    }
    std::this_thread::sleep_for(kLook);
  }
}

std::string how_to_start(const NewMember& member) {
  return fmt::format(
      "start it on its machine, with an empty data folder and the secret of the other nodes:\n"
      "  config-center serve --raft-node-id {} --raft-address {} --raft-join true --raft-secret-file FILE\n",
      member.node, member.address);
}

Result<> add(Session& session, const Options& options) {
  TRY(const NewMember member, parse_member(options.member));
  auto patience = parse_duration(options.wait);
  if (!patience) return wrong_usage(std::move(patience).error());
  const std::string node = std::to_string(member.node);
  const std::string what =
      fmt::format("node {} at {} as {}", node, member.address, options.observer ? "an observer" : "a voter");
  TRY(const json::value before, session.get_json("/v1/cluster"));
  const bool is_new = find_member(before, node) == nullptr;
  if (session.dry_run) {
    if (is_new) return session.would("add " + what);
    return fail(Code::already_exists,
                fmt::format("there is a node {} in the group already; see: config-center cluster status", node));
  }
  TRY(json::value group,
      session.send_json("POST", "/v1/cluster/members",
                        {{"node", member.node}, {"address", member.address}, {"observer", options.observer}}));
  const bool for_person = session.output == Output::table;
  if (for_person) {
    TRYV(write_output(is_new ? fmt::format("added {}\n{}", what, how_to_start(member))
                             : fmt::format("{} is in the group already\n", what)));
  }
  if (*patience > milliseconds::zero()) {
    TRY(const bool caught_up, wait_until_caught_up(session, node, *patience));
    if (for_person) return caught_up ? write_output(fmt::format("node {} has caught up\n", node)) : Result<>();
    TRY(group, session.get_json("/v1/cluster"));
  }
  return for_person ? Result<>() : session.print(group, {});
}

// --- the others ---

Result<> remove(Session& session, const Options& options) {
  const std::string what = fmt::format("remove node {} from the group for good", options.node);
  if (session.dry_run) {
    TRYV(must_be_member(session, options.node));
    return session.would(what);
  }
  TRYV(session.confirm(what));
  TRYV(must_be_member(session, options.node));
  auto removed = session.call_json({.method = "DELETE", .target = path_of(options.node)});
  // It was a member: the request was carried out, and its answer was lost with the leader.
  if (!removed && removed.error().code == Code::not_found) removed = session.get_json("/v1/cluster");
  TRY(const json::value group, std::move(removed));
  return session.print(group, [&] {
    return fmt::format(
        "removed node {0}; stop it now. Its data folder is of no more use: wipe it before a node is "
        "started in it\n",
        options.node);
  });
}

Result<> set_membership(Session& session, const Options& options, std::string_view membership) {
  const std::string what = fmt::format("make node {} {}", options.node,
                                       membership == "voter" ? "a voter" : "an observer, which does not vote");
  if (session.dry_run) {
    TRYV(must_be_member(session, options.node));
    return session.would(what);
  }
  TRY(const json::value group, session.send_json("PUT", path_of(options.node), {{"membership", membership}}));
  return session.print(group, [&] {
    const json::value* member = find_member(group, options.node);
    const std::string now = member == nullptr ? std::string(membership) : member_text(*member, "membership");
    return fmt::format("node {} is now {}{}\n", options.node, now,
                       now == "joining" ? ": it votes as soon as it has caught up" : "");
  });
}

Result<> transfer(Session& session, const Options& options) {
  if (session.dry_run) {
    if (!options.node.empty()) TRYV(must_be_member(session, options.node));
    return session.would(fmt::format("have {} lead", options.node.empty() ? "another node" : "node " + options.node));
  }
  json::object body;
  if (!options.node.empty()) body["to"] = parse_uint(options.node, "the node").value_or(0);
  TRY(const json::value group, session.send_json("POST", "/v1/cluster/transfer", body));
  return session.print(group, [&] {
    return fmt::format("node {} leads, term {}\n", member_text(group, "leader_id"), member_text(group, "term"));
  });
}

}  // namespace

void add_cluster_changes(CLI::App& group, Session& session) {
  auto options = std::make_shared<Options>();
  const auto of_node = [&](const std::string& name, const std::string& meaning) {
    CLI::App* command = add_command(group, name, meaning);
    command->add_option("node", options->node, "Its number: raft.node_id")
        ->required()
        ->check(positive())
        ->type_name("NODE");
    return command;
  };

  CLI::App* command = add_command(group, "add", "Add a node, and wait until it has all that the others have");
  command->add_option("member", options->member, "Its raft.node_id and raft.address: 4@10.0.0.4:7848")
      ->required()
      ->type_name("NODE@ADDRESS");
  command->add_flag("--observer", options->observer, "It shall replicate and serve, and never vote");
  command->add_option("--wait", options->wait, "How long to wait until it has caught up; 0s: not at all")
      ->capture_default_str()
      ->type_name("TIME");
  add_dry_run(*command, session);
  command->footer(examples(
      {"config-center cluster add 4@10.0.0.4:7848", "config-center cluster add 5@10.0.0.5:7848 --observer --wait 0s"}));
  on_run(*command, session, [&session, options] { return add(session, *options); });

  command = of_node("remove", "Remove a node from the group for good");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({"config-center cluster remove 4"}));
  on_run(*command, session, [&session, options] { return remove(session, *options); });

  command = of_node("promote", "Make an observer a voter");
  add_dry_run(*command, session);
  command->footer(examples({"config-center cluster promote 5"}));
  on_run(*command, session, [&session, options] { return set_membership(session, *options, "voter"); });

  command = of_node("demote", "Make a voter an observer");
  add_dry_run(*command, session);
  command->footer(examples({"config-center cluster demote 3"}));
  on_run(*command, session, [&session, options] { return set_membership(session, *options, "observer"); });

  command = add_command(group, "transfer", "Have another node lead");
  command->add_option("node", options->node, "Which; without it, the one that has most of the log")
      ->check(positive())
      ->type_name("NODE");
  add_dry_run(*command, session);
  command->footer(examples({"config-center cluster transfer", "config-center cluster transfer 2"}));
  on_run(*command, session, [&session, options] { return transfer(session, *options); });
}

}  // namespace cc::cli
