#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/projection_output.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

namespace json = boost::json;

Result<> status(Session& session) {
  TRY(const json::value found, session.get_json("/v1/archive"));
  return session.print(found, [&] { return projection_text(found); });
}

std::uint64_t number(const json::value& of, std::string_view outer, std::string_view inner) {
  return of.at(outer).at(inner).to_number<std::uint64_t>();
}

// Part after part, each where the one before it ended.
Result<> verify(Session& session) {
  std::uint64_t release = 0, audit = 0, releases = 0, audits = 0;
  json::array differences;
  std::optional<Progress> progress;
  for (;;) {
    TRY(const json::value part, session.get_json(with_query("/v1/archive/verify", {{"release", std::to_string(release)},
                                                                                   {"audit", std::to_string(audit)}})));
    const std::uint64_t before = release + audit;
    release = number(part, "until", "release");
    audit = number(part, "until", "audit");
    releases += number(part, "compared", "releases");
    audits += number(part, "compared", "audit_records");
    for (const json::value& difference : part.at("differences").as_array())
      differences.push_back(difference);
    const std::uint64_t all = number(part, "archive", "release") + number(part, "archive", "audit");
    if (!progress) progress.emplace("comparing", all);
    progress->advance(release + audit - before);
    if (part.at("all").as_bool()) break;
  }
  progress.reset();
  const bool equal = differences.empty();
  TRYV(session.print(
      {{"equal", equal}, {"releases", releases}, {"audit_records", audits}, {"differences", differences}}, [&] {
        std::string out;
        for (const json::value& difference : differences)
          out += fmt::format("{}\n", std::string_view(difference.as_string()));
        return out +
               fmt::format("compared {} and {}: {}\n", counted(releases, "release"), counted(audits, "audit record"),
                           equal ? "the archive has them all, as they are" : counted(differences.size(), "difference"));
      }));
  if (equal) return {};
  return fail(
      Code::corruption,
      "the archive differs from what this node has: config-center archive rebuild writes again what nodes have");
}

Result<> rebuild(Session& session) {
  constexpr std::string_view kWhat = "write again into the archive everything that the nodes have";
  if (session.dry_run) return session.would(kWhat);
  TRYV(session.confirm(kWhat));
  TRYV(session.send_json("POST", "/v1/archive/rebuild", json::object()));
  return session.print({{"rebuilding", true}}, [] {
    return "the leader writes it again; what nodes have forgotten stays as it is. How far: config-center archive "
           "status\n";
  });
}

}  // namespace

void add_archive(CLI::App& root, Session& session) {
  CLI::App* group = add_command(root, "archive", "See, check and rebuild the archive in PostgreSQL");
  group->require_subcommand(1);
  group->footer(examples({"config-center archive status", "config-center archive verify"}));

  CLI::App* show = add_command(*group, "status", "Show how far the archive is, and its servers");
  show->footer(examples({"config-center archive status", "config-center archive status -o json"}));
  on_run(*show, session, [&session] { return status(session); });

  CLI::App* check = add_command(*group, "verify", "Compare everything that the node has with the archive");
  check->footer(examples({"config-center archive verify", "config-center archive verify -o json"}));
  on_run(*check, session, [&session] { return verify(session); });

  CLI::App* again =
      add_command(*group, "rebuild", "Write again everything that the nodes have; what only the archive has stays");
  add_yes(*again, session);
  add_dry_run(*again, session);
  again->footer(examples({"config-center archive rebuild", "config-center archive rebuild --yes"}));
  on_run(*again, session, [&session] { return rebuild(session); });
}

}  // namespace cc::cli
