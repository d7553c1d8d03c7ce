#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/address.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

struct Options {
  std::string key;
  Page page;
  Freshness freshness;
};

Result<> history(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  TRY(const boost::json::array releases,
      session.list(path_of("/v1/releases", key), with_freshness({}, options.freshness), options.page));
  return session.print(releases, [&] {
    Table table({"VERSION", "REVISION", "TIME", "AUTHOR", "SIZE", "MD5", "COMMENT"});
    for (const boost::json::value& each : releases) {
      const bool deleted = member_text(each, "deleted") == "true";
      const std::string from = member_text(each, "rolled_back_from");
      std::string comment = member_text(each, "comment");
      if (!from.empty()) comment = fmt::format("(back to {}) {}", from, comment);
      const std::string size = member_text(each, "size");
      table.add({deleted ? "deleted" : member_text(each, "version"), member_text(each, "revision"),
                 member_text(each, "time"), member_text(each, "author"),
                 deleted ? "" : format_size(std::strtoull(size.c_str(), nullptr, 10)), member_text(each, "md5"),
                 comment});
    }
    return table.to_text();
  });
}

}  // namespace

void add_history(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "history", "List the releases of a config, newest first");
  command->add_option("key", options->key, "environment/application/cluster/name")->required()->type_name("KEY");
  add_page_options(*command, options->page);
  add_freshness(*command, options->freshness);
  command->footer(examples({
      "config-center history dev/shop/default/application.yaml",
      "config-center history dev/shop/default/application.yaml --limit 5 -o json",
  }));
  on_run(*command, session, [&session, options] { return history(session, *options); });
}

}  // namespace cc::cli
