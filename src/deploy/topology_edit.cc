#include "deploy/topology_edit.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

namespace cc::deploy {
namespace {

// The scalar that begins there, in quotes or not; replaced.
bool replace_scalar(std::string& text, const YAML::Node& node, std::string_view from, std::string_view to) {
  auto at = static_cast<std::size_t>(node.Mark().pos);
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) ++at;
  if (text.compare(at, from.size(), from) != 0) return false;
  text.replace(at, from.size(), to);
  return true;
}

std::unexpected<Error> by_hand(std::string_view list) {
  return fail(Code::invalid_argument,
              fmt::format("components.{} cannot be changed by itself: change it by hand, then run config-center "
                          "deploy",
                          list));
}

// The list of that name. Throws what YAML throws.
YAML::Node find_list(const std::string& text, std::string_view list) {
  const auto dot = list.find('.');
  return YAML::Load(text)["components"][std::string(list.substr(0, dot))][std::string(list.substr(dot + 1))];
}

struct Member {
  std::size_t begin, end;  // with its quotes
};

Member member_of(const std::string& text, const YAML::Node& node) {
  const auto begin = static_cast<std::size_t>(node.Mark().pos);
  const bool quoted = text[begin] == '"' || text[begin] == '\'';
  return {begin, begin + node.Scalar().size() + (quoted ? 2 : 0)};
}

std::string with_host(std::string text, const YAML::Node& list, const std::string& host) {
  const Member last = member_of(text, list[list.size() - 1]);
  if (list.Style() == YAML::EmitterStyle::Flow) return text.insert(last.end, ", " + host);
  const auto line = text.rfind('\n', last.begin) + 1;  // 0 when there is none before
  const auto end = std::min(text.find('\n', last.end), text.size());
  return text.insert(end, "\n" + text.substr(line, last.begin - line) + host);
}

std::string without_host(std::string text, const YAML::Node& list, std::size_t which) {
  const Member member = member_of(text, list[which]);
  if (list.Style() != YAML::EmitterStyle::Flow) {
    const auto line = text.rfind('\n', member.begin) + 1;
    return text.erase(line, std::min(text.find('\n', member.end), text.size() - 1) + 1 - line);
  }
  if (which > 0) {
    const Member before = member_of(text, list[which - 1]);
    return text.erase(before.end, member.end - before.end);
  }
  return text.erase(member.begin, member_of(text, list[1]).begin - member.begin);
}

}  // namespace

Result<std::string> with_primary(std::string_view text, const Topology& topology, const std::string& to) {
  const Database& database = *topology.database;
  if (!is_among(to, database.replicas)) {
    return fail(Code::invalid_argument, fmt::format("\"{}\" is no replica of the database; there are: {}", to,
                                                    fmt::join(database.replicas, ", ")));
  }
  std::string changed(text);
  try {
    const YAML::Node node = YAML::Load(changed)["components"]["database"];
    const YAML::Node primary = node["primary"];
    for (const YAML::Node& replica : node["replicas"]) {
      if (replica.Scalar() != to) continue;
      // The later one first: so the place of the other stays.
      const bool primary_first = primary.Mark().pos < replica.Mark().pos;
      const auto swap = [&](const YAML::Node& which) {
        return which.Mark().pos == primary.Mark().pos ? replace_scalar(changed, which, database.primary, to)
                                                      : replace_scalar(changed, which, to, database.primary);
      };
      if (swap(primary_first ? replica : primary) && swap(primary_first ? primary : replica)) return changed;
    }
  } catch (const YAML::Exception& exception) {
    return fail(Code::invalid_argument, fmt::format("the topology cannot be read: {}", exception.what()));
  }
  return fail(
      Code::invalid_argument,
      fmt::format("the topology cannot be changed by itself: make {} the primary and {} a replica in it, by hand", to,
                  database.primary));
}

Result<std::string> with_hosts(std::string_view text, std::string_view list, const std::vector<std::string>& hosts) {
  std::string changed(text);
  try {
    for (const std::string& host : hosts) {
      const YAML::Node node = find_list(changed, list);
      if (!node.IsSequence() || node.size() == 0) return by_hand(list);
      for (const YAML::Node& member : node) {
        if (member.Scalar() == host)
          return fail(Code::invalid_argument, fmt::format("components.{} has {} already", list, host));
      }
      changed = with_host(std::move(changed), node, host);
    }
  } catch (const YAML::Exception&) {
    return by_hand(list);
  }
  return changed;
}

Result<std::string> without_hosts(std::string_view text, std::string_view list, const std::vector<std::string>& hosts) {
  std::string changed(text);
  try {
    for (const std::string& host : hosts) {
      const YAML::Node node = find_list(changed, list);
      if (!node.IsSequence() || node.size() < 2) return by_hand(list);
      std::size_t which = 0;
      while (which < node.size() && node[which].Scalar() != host)
        ++which;
      if (which == node.size()) return fail(Code::invalid_argument, fmt::format("components.{} has no {}", list, host));
      changed = without_host(std::move(changed), node, which);
    }
  } catch (const YAML::Exception&) {
    return by_hand(list);
  }
  return changed;
}

}  // namespace cc::deploy
