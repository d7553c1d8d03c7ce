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

namespace cc::cli {
namespace {

constexpr std::uint64_t kMostBytes = 4ull << 30;

struct Options {
  std::string where, to;
};

// Of prod/shop/default only that cluster, without its folder.
std::vector<ZipEntry> only_cluster(std::vector<ZipEntry> entries, const std::string& cluster) {
  const std::string folder = cluster + "/";
  std::erase_if(entries, [&](const ZipEntry& each) { return !each.name.starts_with(folder); });
  for (ZipEntry& each : entries)
    each.name.erase(0, folder.size());
  return entries;
}

Result<> export_configs(Session& session, const Options& options) {
  TRY(const Where where, parse_where(options.where));
  if (where.environment.empty() || !where.name_prefix.empty()) {
    return wrong_usage("say what to export: ENVIRONMENT, ENVIRONMENT/APPLICATION or ENVIRONMENT/APPLICATION/CLUSTER");
  }
  std::string target = "/v1/export/" + percent_encode(where.environment);
  if (!where.application.empty()) target += "/" + percent_encode(where.application);
  TRY(http::ClientResponse answer, session.call({.target = target, .wait = std::chrono::minutes(5)}));
  TRY(std::vector<ZipEntry> entries, read_zip(answer.body, kMostBytes));
  if (!where.cluster.empty()) {
    entries = only_cluster(std::move(entries), where.cluster);
    TRY(answer.body, write_zip(entries));
  }
  if (entries.empty()) return fail(Code::not_found, fmt::format("there is no config in {}", options.where));

  if (options.to == "-") {
    write_output(answer.body);
    return {};
  }
  if (options.to.ends_with(".zip")) {
    TRYV(write_file(options.to, answer.body));
  } else {
    TRYV(write_folder(options.to, entries));
  }
  session.print({{"to", options.to}, {"configs", entries.size()}},
                [&] { return fmt::format("exported {} to {}\n", counted(entries.size(), "config"), options.to); });
  return {};
}

}  // namespace

void add_export(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand("export", "Write published configs to a folder or a zip file");
  command->add_option("where", options->where, "environment[/application[/cluster]]")->required()->type_name("WHERE");
  command->add_option("to", options->to, "A folder, a file that ends in .zip, or - for a zip on standard output")
      ->required()
      ->type_name("DIR|ZIP");
  command->footer(examples({
      "config-center export dev ./dev                  files application/cluster/name",
      "config-center export dev/shop shop.zip          files cluster/name",
      "config-center export dev/shop/default ./shop    files name",
  }));
  on_run(*command, session, [&session, options] { return export_configs(session, *options); });
}

}  // namespace cc::cli
