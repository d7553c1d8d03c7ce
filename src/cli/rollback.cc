#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/address.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/release_output.h"
#include "cli/session.h"

namespace cc::cli {
namespace {

struct Options {
  std::string key, message;
  std::uint64_t version = 0;
  std::optional<std::uint64_t> if_match;
};

Result<> rollback(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  const std::string version = std::to_string(options.version);
  if (session.dry_run) {
    TRY(const auto before, published(session, key));
    TRY(const http::ClientResponse old,
        session.call({.target = with_query(path_of("/v1/configs", key), {{"version", version}})}));
    TRYV(check_release(session, key, before, {.revision = options.if_match}));
    return print_planned_release(session, fmt::format("roll {} back to version {}", options.key, version), key, before,
                                 old.body);
  }
  http::ClientRequest request{
      .method = "POST",
      .target = with_query(path_of("/v1/releases", key), {{"rollback", version}, {"comment", options.message}})};
  if (options.if_match) request.headers.emplace_back("If-Match", quoted(*options.if_match));
  TRY(const boost::json::value outcome, session.call_json(std::move(request)));
  return print_release(session, "rolled back", outcome, fmt::format(" (the content of version {})", version));
}

}  // namespace

void add_rollback(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "rollback", "Make a new release with the content of an earlier version");
  command->add_option("key", options->key, "environment/application/cluster/name")->required()->type_name("KEY");
  command->add_option("version", options->version, "The version to go back to")
      ->required()
      ->check(positive())
      ->type_name("VERSION");
  command->add_option("-m,--message", options->message, "Why, for the history")->type_name("TEXT");
  add_if_match(*command, options->if_match, "Only when the config is still at this revision");
  add_dry_run(*command, session);
  command->footer(examples({
      "config-center rollback dev/shop/default/application.yaml 1 -m \"the new pool size was too large\"",
      "config-center rollback dev/shop/default/application.yaml 1 --dry-run",
  }));
  on_run(*command, session, [&session, options] { return rollback(session, *options); });
}

}  // namespace cc::cli
