#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "base/zip.h"
#include "cli/address.h"
#include "cli/commands.h"
#include "cli/folder.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

constexpr std::uint64_t kMostBytes = 4ull << 30;

struct Options {
  std::string where, from, message, include;
};

Result<std::vector<ZipEntry>> read_entries(const Options& options) {
  if (options.from != "-" && !options.from.ends_with(".zip")) return read_folder(options.from, options.include);
  if (!options.include.empty()) return wrong_usage("--include chooses files of a folder, not of a zip");
  TRY(const std::string zip, read_file_or_input(options.from));
  return read_zip(zip, kMostBytes);
}

std::string change_of(const boost::json::value& release) {
  if (member_text(release, "unchanged") == "true") return "unchanged";
  return member_text(release, "version") == "1" ? "new" : "changed";
}

void print_outcome(Session& session, const boost::json::value& outcome, const Options& options) {
  session.print(outcome, [&] {
    std::size_t counts[2] = {0, 0};  // changed, unchanged
    Table table({"CHANGE", "VERSION", "KEY"});
    for (const boost::json::value& each : outcome.at("published").as_array()) {
      const std::string change = change_of(each);
      ++counts[change == "unchanged" ? 1 : 0];
      table.add({change, member_text(each, "version"), member_text(each, "key")});
    }
    const std::string published = fmt::format("{} from {}", counted(counts[0], "config"), options.from);
    return session.dry_run ? fmt::format("{}would publish {}; {} equal already; nothing was changed\n", table.to_text(),
                                         published, counts[1])
                           : fmt::format("{}published {}; {} equal already; revision {}\n", table.to_text(), published,
                                         counts[1], member_text(outcome, "revision"));
  });
}

Result<> import_configs(Session& session, const Options& options) {
  TRY(const Where where, parse_where(options.where));
  if (where.environment.empty() || !where.name_prefix.empty()) {
    return wrong_usage("say where to import: ENVIRONMENT, ENVIRONMENT/APPLICATION or ENVIRONMENT/APPLICATION/CLUSTER");
  }
  TRY(std::vector<ZipEntry> entries, read_entries(options));
  if (entries.empty()) return fail(Code::not_found, fmt::format("there is nothing to import in {}", options.from));
  if (!where.cluster.empty()) {
    for (ZipEntry& each : entries)
      each.name.insert(0, where.cluster + "/");
  }
  TRY(std::string zip, write_zip(entries));
  std::string target = "/v1/import/" + percent_encode(where.environment);
  if (!where.application.empty()) target += "/" + percent_encode(where.application);
  TRY(const boost::json::value outcome,
      session.call_json(
          {.method = "POST",
           .target = with_query(target, {{"comment", options.message}, {"dry_run", session.dry_run ? "true" : ""}}),
           .headers = {{"Content-Type", "application/zip"}},
           .body = std::move(zip),
           .wait = std::chrono::minutes(5)}));
  print_outcome(session, outcome, options);
  return {};
}

}  // namespace

void add_import(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      root.add_subcommand("import", "Publish a folder or a zip file of configs: all in one revision, or none");
  command->add_option("where", options->where, "environment[/application[/cluster]]")->required()->type_name("WHERE");
  command
      ->add_option("from", options->from,
                   "A folder (hidden files are left out), a file that ends in .zip, or - for a zip on standard input")
      ->required()
      ->type_name("DIR|ZIP");
  command->add_option("-m,--message", options->message, "Why, for the history")->type_name("TEXT");
  command->add_option("--include", options->include, "Only files of a folder whose name matches")->type_name("'*.yml'");
  add_dry_run(*command, session);
  command->footer(examples({
      "config-center import dev ./dev                                  files application/cluster/name",
      "config-center import dev/shop shop.zip -m \"from the old center\"   files cluster/name",
      "config-center import dev/petclinic/default ./petclinic-config --include '*.yml' --dry-run",
  }));
  on_run(*command, session, [&session, options] { return import_configs(session, *options); });
}

}  // namespace cc::cli
