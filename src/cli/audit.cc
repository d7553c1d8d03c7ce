#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/address.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/terminal.h"

namespace cc::cli {
namespace {

struct Options {
  std::string actor, action, target, outcome, from, to, export_file;
  Page page{.limit = 100, .cursor = {}};
};

Result<Query> query_of(const Options& options) {
  Query query = {
      {"actor", options.actor}, {"action", options.action}, {"target", options.target}, {"outcome", options.outcome}};
  const Wall now = SystemClock().wall();
  for (const auto& [name, text] :
       {std::pair<std::string_view, const std::string&>{"from", options.from}, {"to", options.to}}) {
    if (text.empty()) continue;
    TRY(const Wall time, parse_time_or_ago(text, now));
    query.emplace_back(name, format_time(time));
  }
  return query;
}

Result<> export_records(Session& session, const Options& options, const Query& query) {
  TRY(const http::ClientResponse answer, session.call({.target = with_query("/v1/audit", query),
                                                       .headers = {{"Accept", "application/x-ndjson"}},
                                                       .wait = std::chrono::minutes(10)}));
  if (options.export_file == "-") {
    write_output(answer.body);
    return {};
  }
  TRYV(write_file(options.export_file, answer.body, 0600));
  const auto lines = static_cast<std::uint64_t>(std::count(answer.body.begin(), answer.body.end(), '\n'));
  session.print({{"to", options.export_file}, {"records", lines}}, [&] {
    return fmt::format("exported {} to {}\n", counted(lines, "audit record"), options.export_file);
  });
  return {};
}

Result<> audit(Session& session, const Options& options) {
  TRY(const Query query, query_of(options));
  if (!options.export_file.empty()) return export_records(session, options, query);
  TRY(const boost::json::array records, session.list("/v1/audit", query, options.page));
  session.print_list(records,
                     {{"ID", "id"},
                      {"TIME", "time"},
                      {"ACTOR", "actor"},
                      {"ADDRESS", "address"},
                      {"ACTION", "action"},
                      {"TARGET", "target"},
                      {"OUTCOME", "outcome"},
                      {"COUNT", "count"},
                      {"REVISION", "revision"},
                      {"MESSAGE", "message"}},
                     "no audit record matches");
  return {};
}

}  // namespace

void add_audit(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand("audit", "See who did what, and what was refused, newest first");
  command->add_option("--actor", options->actor, "By this user or access key")->type_name("NAME");
  command->add_option("--action", options->action, "Such as config.publish or login")->type_name("ACTION");
  command->add_option("--target", options->target, "Start of what it was done to")->type_name("TEXT");
  command->add_option("--outcome", options->outcome, "done, or the reason of a refusal: permission_denied, ...")
      ->type_name("OUTCOME");
  command->add_option("--from", options->from, "Since a time, or for so long: 2026-01-02, 24h")->type_name("TIME");
  command->add_option("--to", options->to, "Before a time, or until so long ago")->type_name("TIME");
  command->add_option("--export", options->export_file, "Write all that match as JSON lines; - is standard output")
      ->type_name("FILE");
  add_page_options(*command, options->page);
  command->footer(examples({
      "config-center audit --from 24h",
      "config-center audit --target prod/shop --action config.publish",
      "config-center audit --outcome permission_denied -o json",
      "config-center audit --from 2026-01-01 --export audit.ndjson",
  }));
  on_run(*command, session, [&session, options] { return audit(session, *options); });
}

}  // namespace cc::cli
