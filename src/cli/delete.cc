#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/address.h"
#include "cli/commands.h"
#include "cli/release_output.h"
#include "cli/session.h"

namespace cc::cli {
namespace {

struct Options {
  std::string key, message;
  std::optional<std::uint64_t> if_match;
};

Result<> remove(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  const std::string what = "delete " + options.key;
  if (session.dry_run) {
    TRY(const auto before, published(session, key));
    if (!before) return fail(Code::not_found, "there is no published " + options.key);
    TRYV(check_revision(options.key, before->revision, options.if_match));
    return session.would(what);
  }
  TRYV(session.confirm(what));
  http::ClientRequest request{.method = "DELETE",
                              .target = with_query(path_of("/v1/configs", key), {{"comment", options.message}})};
  if (options.if_match) request.headers.emplace_back("If-Match", quoted(*options.if_match));
  TRY(const boost::json::value outcome, session.call_json(std::move(request)));
  return print_release(session, "deleted", outcome);
}

}  // namespace

void add_delete(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "delete", "Delete a config; watchers see it, its history stays");
  command->add_option("key", options->key, "environment/application/cluster/name")->required()->type_name("KEY");
  command->add_option("-m,--message", options->message, "Why, for the history")->type_name("TEXT");
  add_if_match(*command, options->if_match, "Only when the config is still at this revision");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({
      "config-center delete dev/shop/default/old.yaml",
      "config-center delete dev/shop/default/old.yaml --yes -m \"moved to application.yaml\"",
  }));
  on_run(*command, session, [&session, options] { return remove(session, *options); });
}

}  // namespace cc::cli
