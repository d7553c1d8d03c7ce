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
  std::string where, to;
  bool by_application = false;
};

Result<Tree> fetch(Session& session, const std::string& environment, const std::string& application) {
  std::string target = "/v1/export/" + percent_encode(environment);
  if (!application.empty()) target += "/" + percent_encode(application);
  const Waiting waiting("exporting " + environment + (application.empty() ? "" : "/" + application));
  auto answer = session.call({.target = target, .wait = std::chrono::minutes(5)});
  if (!answer && answer.error().code == Code::exhausted && application.empty()) {
    answer.error().message += "\nExport it in parts, which may be of different revisions, with: --by-application";
  }
  TRY(const http::ClientResponse zip, std::move(answer));
  Tree tree;
  TRY(tree.entries, read_zip(zip.body, kMostBytes));
  TRY(tree.listing, take_listing(tree.entries));
  return tree;
}

Result<Tree> fetch_by_application(Session& session, const std::string& environment) {
  TRYV(session.get_json("/v1/environments/" + percent_encode(environment)));
  TRY(const boost::json::array applications, session.list("/v1/applications", {}, {}));
  Tree all;
  for (const boost::json::value& each : applications) {
    const std::string name = member_text(each, "name");
    TRY(Tree tree, fetch(session, environment, name));
    for (ZipEntry& entry : tree.entries)
      all.entries.push_back({fmt::format("{}/{}", name, entry.name), std::move(entry.content)});
    for (const auto& [below, config] : tree.listing)
      all.listing.emplace(fmt::format("{}/{}", name, below), config);
  }
  return all;
}

// Of prod/shop/default only that cluster, without its folder.
Result<Tree> only_cluster(Tree tree, const std::string& where, const std::string& cluster) {
  const std::string folder = cluster + "/";
  Tree out;
  for (ZipEntry& entry : tree.entries) {
    if (!entry.name.starts_with(folder)) continue;
    entry.name.erase(0, folder.size());
    if (entry.name == kListingFile) {
      return fail(
          Code::invalid_argument,
          fmt::format("{0} holds a config named {1}, as the file beside them is that tells what names do not: export "
                      "{2} instead",
                      where, kListingFile, where.substr(0, where.rfind('/'))));
    }
    out.entries.push_back(std::move(entry));
  }
  for (const auto& [name, config] : tree.listing)
    if (name.starts_with(folder)) out.listing.emplace(name.substr(folder.size()), config);
  return out;
}

Result<> export_configs(Session& session, const Options& options) {
  TRY(const Where where, parse_where(options.where));
  if (where.environment.empty() || !where.name_prefix.empty()) {
    return wrong_usage("say what to export: ENVIRONMENT, ENVIRONMENT/APPLICATION or ENVIRONMENT/APPLICATION/CLUSTER");
  }
  if (options.to.empty()) return wrong_usage("say where to: a folder, a file that ends in .zip, or -");
  if (options.by_application && !where.application.empty())
    return wrong_usage("--by-application is for a whole environment");
  TRY(Tree tree, options.by_application ? fetch_by_application(session, where.environment)
                                        : fetch(session, where.environment, where.application));
  if (!where.cluster.empty()) {
    TRY(tree, only_cluster(std::move(tree), options.where, where.cluster));
  }
  if (tree.entries.empty()) return fail(Code::not_found, fmt::format("there is no config in {}", options.where));

  TRYV(write_tree(options.to, tree));
  if (options.to == "-") return {};
  const std::size_t count = tree.entries.size();
  return session.print({{"to", options.to}, {"configs", count}},
                       [&] { return fmt::format("exported {} to {}\n", counted(count, "config"), options.to); });
}

}  // namespace

void add_export(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "export", "Write published configs to a folder or a zip file");
  command->add_option("where", options->where, "environment[/application[/cluster]]")->required()->type_name("WHERE");
  command->add_option("to", options->to, "A folder, a file that ends in .zip, or - for a zip on standard output")
      ->required()
      ->type_name("DIR|ZIP");
  command->add_flag("--by-application", options->by_application,
                    "Ask for one application of the environment after the other; it may change in between");
  command->footer(examples({
      "config-center export dev ./dev                  files application/cluster/name",
      "config-center export dev/shop shop.zip          files cluster/name",
      "config-center export dev/shop/default ./shop    files name",
  }));
  on_run(*command, session, [&session, options] { return export_configs(session, *options); });
}

}  // namespace cc::cli
