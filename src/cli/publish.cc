#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/address.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/release_output.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "model/format.h"

namespace cc::cli {
namespace {

struct Options {
  std::string key, file, message, format;
  std::optional<std::uint64_t> if_match;
  bool only_new = false, from_draft = false, secret = false, not_secret = false;
};

Result<> show_only(Session& session, const Options& options, const ConfigKey& key, const std::string& content) {
  TRY(const auto before, published(session, key));
  TRYV(check_release(session, key, before, {.revision = options.if_match, .only_new = options.only_new}));
  Format format = before ? parse_format(before->format).value_or(Format::text) : format_of_name(key.name);
  if (!options.format.empty()) {
    TRY(format, parse_format(options.format));
  }
  TRYV(check_format(format, content));
  const bool secret = options.secret || (before && before->secret && !options.not_secret);
  return print_planned_release(session,
                               fmt::format("publish {} ({}, {}{})", options.key, to_string(format),
                                           format_size(content.size()), secret ? ", secret" : ""),
                               key, before, content);
}

Result<> publish(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  if (options.from_draft == !options.file.empty()) {
    return wrong_usage(
        "give the content with --file FILE (--file - for standard input), or publish the draft with "
        "--from-draft");
  }
  if (options.from_draft && !options.format.empty()) return wrong_usage("a draft has its format; leave out --format");
  std::string content;
  if (!options.from_draft) {
    TRY(content, read_file_or_input(options.file));
  } else if (session.dry_run) {
    TRY(http::ClientResponse draft, session.call({.target = path_of("/v1/drafts", key)}));
    content = std::move(draft.body);
  }
  if (session.dry_run) return show_only(session, options, key, content);

  http::ClientRequest request{
      .method = "PUT",
      .target = with_query(path_of("/v1/configs", key), {{"comment", options.message},
                                                         {"format", options.format},
                                                         {"secret", options.secret       ? "true"
                                                                    : options.not_secret ? "false"
                                                                                         : ""},
                                                         {"from", options.from_draft ? "draft" : ""}}),
      .headers = {},
      .body = std::move(content)};
  if (options.if_match) request.headers.emplace_back("If-Match", quoted(*options.if_match));
  if (options.only_new) request.headers.emplace_back("If-None-Match", "*");
  TRY(const boost::json::value outcome, session.call_json(std::move(request)));
  return print_release(session, "published", outcome);
}

}  // namespace

void add_publish(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "publish", "Make a new release of a config from a file or from its draft");
  command->add_option("key", options->key, "environment/application/cluster/name")->required()->type_name("KEY");
  command->add_option("-f,--file", options->file, "The content; - reads standard input")->type_name("FILE");
  command->add_option("-m,--message", options->message, "Why, for the history")->type_name("TEXT");
  command->add_option("--format", options->format, "Format; without it the config's own, or the name's")
      ->check(one_of({"properties", "yaml", "json", "toml", "xml", "text"}))
      ->type_name("FORMAT");
  auto* secret = command->add_flag("--secret", options->secret,
                                   "Never copy it to Redis in the clear; so are later releases of the config");
  command->add_flag("--not-secret", options->not_secret, "It is secret no longer")->excludes(secret);
  add_if_match(*command, options->if_match, "Only when the config is still at this revision");
  command->add_flag("--new", options->only_new, "Only when the config does not exist yet");
  command->add_flag("--from-draft", options->from_draft, "Publish the draft");
  add_dry_run(*command, session);
  command->footer(examples({
      "config-center publish dev/shop/default/application.yaml --file application.yaml -m \"raise pool size\"",
      "sed s/debug/info/ log.yaml | config-center publish dev/shop/default/log.yaml --file -",
      "config-center publish dev/shop/default/application.yaml --from-draft",
      "config-center publish dev/shop/default/passwords.properties --file passwords.properties --secret",
      "config-center publish dev/shop/default/application.yaml --file application.yaml --if-match 17",
      "config-center publish dev/shop/default/application.yaml --file application.yaml --dry-run",
  }));
  on_run(*command, session, [&session, options] { return publish(session, *options); });
}

}  // namespace cc::cli
