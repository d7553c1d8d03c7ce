#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/address.h"
#include "cli/commands.h"
#include "cli/session.h"

namespace cc::cli {
namespace {

struct Options {
  std::string where, search;
  bool in_content = false;
  Page page;
  Freshness freshness;
};

Result<> list(Session& session, const Options& options) {
  TRY(const Where where, parse_where(options.where));
  if (options.in_content && options.search.empty()) {
    return wrong_usage("--content says where --search looks; give --search TEXT, too");
  }
  Query query = query_of(where);
  query.emplace_back("q", options.search);
  query.emplace_back("in", options.in_content ? "content" : "");
  TRY(const boost::json::array configs,
      session.list("/v1/configs", with_freshness(std::move(query), options.freshness), options.page));
  return session.print_list(configs,
                            {{"KEY", "key"},
                             {"FORMAT", "format"},
                             {"SECRET", "secret"},
                             {"VERSION", "version"},
                             {"REVISION", "revision"},
                             {"SIZE", "size"},
                             {"AUTHOR", "author"},
                             {"TIME", "time"},
                             {"COMMENT", "comment"}},
                            "no config matches");
}

}  // namespace

void add_list(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "list", "List and search published configs");
  command
      ->add_option("where", options->where, "environment[/application[/cluster[/start of the name]]]; nothing is all")
      ->type_name("WHERE");
  command->add_option("-s,--search", options->search, "Only keys that contain this")->type_name("TEXT");
  command->add_flag("--content", options->in_content, "Search the content instead of the keys");
  add_page_options(*command, options->page);
  add_freshness(*command, options->freshness);
  command->footer(examples({
      "config-center list",
      "config-center list prod/shop",
      "config-center list prod --search redis --content",
      "config-center list dev --limit 50 -o json",
  }));
  on_run(*command, session, [&session, options] { return list(session, *options); });
}

}  // namespace cc::cli
