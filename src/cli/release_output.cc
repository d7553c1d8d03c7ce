#include "cli/release_output.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/address.h"
#include "cli/terminal.h"
#include "cli/yaml.h"
#include "model/diff.h"

namespace cc::cli {
namespace {

constexpr std::string_view kRed = "\033[31m", kGreen = "\033[32m", kCyan = "\033[36m", kBold = "\033[1m",
                           kPlain = "\033[0m";

std::string_view colour_of(std::string_view line) {
  if (line.starts_with("--- ") || line.starts_with("+++ ")) return kBold;
  if (line.starts_with("@@")) return kCyan;
  if (line.starts_with('-')) return kRed;
  if (line.starts_with('+')) return kGreen;
  return "";
}

}  // namespace

Result<> print_release(Session& session, std::string_view done, const boost::json::value& outcome,
                       std::string_view further) {
  return session.print(outcome, [&] {
    return fmt::format("{} {}: version {}, revision {}{}\n", done, member_text(outcome, "key"),
                       member_text(outcome, "version"), member_text(outcome, "revision"), further);
  });
}

Result<std::optional<Published>> published(Session& session, const ConfigKey& key, const Freshness& freshness) {
  TRY(http::ClientResponse answer,
      session.send({.target = with_query(path_of("/v1/configs", key), with_freshness({}, freshness))}));
  if (answer.status == 404) return std::nullopt;
  if (answer.status >= 400) return fail(session.error_of_answer(answer));
  return Published{std::move(answer.body), std::string(answer.header("X-Config-Version")),
                   std::string(answer.header("X-Config-Revision")), std::string(answer.header("X-Config-Format")),
                   !answer.header("X-Config-Secret").empty()};
}

Result<> check_revision(std::string_view what, std::string_view is_at, std::optional<std::uint64_t> wanted) {
  if (!wanted || is_at == std::to_string(*wanted)) return {};
  return fail(Code::conflict, is_at.empty()
                                  ? fmt::format("there is no {}, and --if-match wants revision {}", what, *wanted)
                                  : fmt::format("{} is at revision {}, and --if-match wants {}", what, is_at, *wanted));
}

Result<> check_release(Session& session, const ConfigKey& key, const std::optional<Published>& before,
                       const Guards& guards) {
  const std::string name = key.to_string();
  if (!before) TRYV(session.get_json("/v1/environments/" + percent_encode(key.environment)));
  if (guards.only_new && before) {
    return fail(Code::conflict, fmt::format("there is a {} already, version {}", name, before->version));
  }
  return check_revision(name, before ? before->revision : "", guards.revision);
}

std::string printed_diff(std::string unified) {
  return coloured_diff(for_output(std::move(unified)), has_colour());
}

std::string coloured_diff(std::string_view unified, bool colour) {
  if (!colour) return std::string(unified);
  std::string out;
  bool in_hunk = false;  // where "--- " is a removed line that starts with "-- "
  for (std::string_view rest = unified; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    in_hunk = in_hunk || line.starts_with("@@");
    const std::string_view start = in_hunk && line.starts_with("--- ")   ? kRed
                                   : in_hunk && line.starts_with("+++ ") ? kGreen
                                                                         : colour_of(line);
    out += start.empty() ? fmt::format("{}\n", line) : fmt::format("{}{}{}\n", start, line, kPlain);
  }
  return out;
}

Result<> print_planned_release(Session& session, std::string_view sentence, const ConfigKey& key,
                               const std::optional<Published>& before, std::string_view content) {
  const std::string name = key.to_string();
  const std::string diff =
      unified_diff(before ? before->content : "", content,
                   before ? fmt::format("{} (version {})", name, before->version) : "(nothing published)", name);
  return session.print({{"dry_run", true}, {"would", sentence}, {"diff", diff}}, [&] {
    const std::string shown = diff.empty() ? "(the content is the same)\n" : printed_diff(diff);
    return fmt::format("would {}; nothing was changed\n{}", sentence, shown);
  });
}

}  // namespace cc::cli
