#include <map>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/table.h"
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
  std::string where, from, message;
  Selection selection;
  bool by_application = false;
};

Result<Tree> read_tree(const Options& options) {
  if (options.from != "-" && !options.from.ends_with(".zip")) return read_folder(options.from, options.selection);
  if (!options.selection.include.empty() || options.selection.hidden)
    return wrong_usage("--include and --hidden choose files of a folder, not of a zip");
  TRY(const std::string zip, read_file_or_input(options.from));
  Tree tree;
  TRY(tree.entries, read_zip(zip, kMostBytes));
  TRY(tree.listing, take_listing(tree.entries));
  return tree;
}

Tree below(const std::string& folder, Tree tree) {
  Tree out;
  for (ZipEntry& each : tree.entries)
    out.entries.push_back({fmt::format("{}/{}", folder, each.name), std::move(each.content)});
  for (const auto& [name, config] : tree.listing)
    out.listing.emplace(fmt::format("{}/{}", folder, name), config);
  return out;
}

// By the first folder, which is left off.
Result<std::map<std::string, Tree>> by_application(Tree tree) {
  std::map<std::string, Tree> out;
  for (ZipEntry& each : tree.entries) {
    const std::size_t slash = each.name.find('/');
    if (slash == std::string::npos) {
      return fail(Code::invalid_argument,
                  fmt::format("{} stands in no folder that could be an application", visible(each.name)));
    }
    out[each.name.substr(0, slash)].entries.push_back({each.name.substr(slash + 1), std::move(each.content)});
  }
  for (const auto& [name, config] : tree.listing) {
    const std::size_t slash = name.find('/');
    const auto found = out.find(name.substr(0, slash));
    if (slash != std::string::npos && found != out.end()) found->second.listing.emplace(name.substr(slash + 1), config);
  }
  return out;
}

void tell_left_out(const Tree& tree) {
  for (const std::string& each : tree.left_out)
    fmt::print(stderr, "left out, {}{}\n", each, each.starts_with("hidden") ? " (--hidden takes them)" : "");
}

std::string change_of(const boost::json::value& release) {
  if (member_text(release, "unchanged") == "true") return "unchanged";
  return member_text(release, "version") == "1" ? "new" : "changed";
}

Result<> print_outcome(Session& session, const boost::json::value& outcome, const Options& options) {
  return session.print(outcome, [&] {
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

// One request: all of it or nothing.
Result<boost::json::value> send_tree(Session& session, const Options& options, const std::string& environment,
                                     const std::string& application, Tree tree) {
  const std::size_t count = tree.entries.size();
  if (!tree.listing.empty()) {
    tree.entries.push_back({std::string(kListingFile), write_listing(tree.listing)});
  }
  TRY(std::string zip, write_zip(tree.entries));
  std::string target = "/v1/import/" + percent_encode(environment);
  if (!application.empty()) target += "/" + percent_encode(application);
  const Waiting waiting(fmt::format("importing {}, {}", counted(count, "file"), format_size(zip.size())));
  auto outcome = session.call_json(
      {.method = "POST",
       .target = with_query(target, {{"comment", options.message}, {"dry_run", session.dry_run ? "true" : ""}}),
       .headers = {{"Content-Type", "application/zip"}},
       .body = std::move(zip),
       .wait = std::chrono::minutes(5)});
  if (!outcome && outcome.error().code == Code::exhausted) {
    outcome.error().message +=
        fmt::format("\nImport it in parts, each of them all or nothing: {}; or give the node a larger server.max_body",
                    application.empty() ? "--by-application" : "cluster by cluster");
  }
  return outcome;
}

Result<boost::json::value> send_by_application(Session& session, const Options& options, const std::string& environment,
                                               Tree tree) {
  TRY(auto trees, by_application(std::move(tree)));
  boost::json::array published;
  boost::json::value revision;
  std::string done;
  for (auto& [application, part] : trees) {
    auto outcome = send_tree(session, options, environment, application, std::move(part));
    if (!outcome) {
      return fail(std::move(outcome).error().with_context(
          fmt::format("{} ({})", application, done.empty() ? "nothing before it" : "done before it: " + done)));
    }
    for (boost::json::value& each : outcome->at("published").as_array())
      published.push_back(std::move(each));
    revision = outcome->at("revision");
    done += (done.empty() ? "" : ", ") + application;
  }
  return boost::json::value{{"revision", revision}, {"published", published}};
}

Result<> import_configs(Session& session, const Options& options) {
  TRY(const Where where, parse_where(options.where));
  if (where.environment.empty() || !where.name_prefix.empty()) {
    return wrong_usage("say where to import: ENVIRONMENT, ENVIRONMENT/APPLICATION or ENVIRONMENT/APPLICATION/CLUSTER");
  }
  if (options.from.empty()) return wrong_usage("say what to import: a folder, a file that ends in .zip, or -");
  if (options.by_application && !where.application.empty())
    return wrong_usage("--by-application is for a whole environment");
  if (session.dry_run) TRYV(session.get_json("/v1/environments/" + percent_encode(where.environment)));
  TRY(Tree tree, read_tree(options));
  tell_left_out(tree);
  if (tree.entries.empty()) return fail(Code::not_found, fmt::format("there is nothing to import in {}", options.from));
  if (!where.cluster.empty()) tree = below(where.cluster, std::move(tree));
  TRY(const boost::json::value outcome,
      options.by_application ? send_by_application(session, options, where.environment, std::move(tree))
                             : send_tree(session, options, where.environment, where.application, std::move(tree)));
  return print_outcome(session, outcome, options);
}

}  // namespace

void add_import(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(root, "import", "Publish a folder or a zip file of configs: all in one revision, or none");
  command->add_option("where", options->where, "environment[/application[/cluster]]")->required()->type_name("WHERE");
  command->add_option("from", options->from, "A folder, a file that ends in .zip, or - for a zip on standard input")
      ->required()
      ->type_name("DIR|ZIP");
  command->add_option("-m,--message", options->message, "Why, for the history")->type_name("TEXT");
  command->add_option("--include", options->selection.include, "Only files of a folder whose name matches")
      ->type_name("'*.yml'");
  command->add_flag("--hidden", options->selection.hidden,
                    "Also hidden files of a folder; those that export wrote are taken without it");
  command->add_flag("--by-application", options->by_application,
                    "One revision for each application instead of one for all: for what is too large at once");
  add_dry_run(*command, session);
  command->footer(examples({
      "config-center import dev ./dev                                  files application/cluster/name",
      "config-center import dev/shop shop.zip -m \"from the old center\"   files cluster/name",
      "config-center import dev/petclinic/default ./petclinic-config --include '*.yml' --dry-run",
  }));
  on_run(*command, session, [&session, options] { return import_configs(session, *options); });
}

}  // namespace cc::cli
