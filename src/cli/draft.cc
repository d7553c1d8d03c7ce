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
#include "cli/yaml.h"

namespace cc::cli {
namespace {

struct Options {
  std::string key, file, format, message, where;
  std::optional<std::uint64_t> if_match, draft_revision;
  Page page;
  Freshness freshness;
};

// For --dry-run: what a server would refuse.
Result<> check_draft(Session& session, const Options& options, const ConfigKey& key) {
  TRY(const http::ClientResponse draft, session.send({.target = path_of("/v1/drafts", key)}));
  if (draft.status >= 400 && draft.status != 404) return fail(session.error_of_answer(draft));
  if (draft.status == 404) TRYV(session.get_json("/v1/environments/" + percent_encode(key.environment)));
  std::string revision(draft.status == 404 ? "" : draft.header("ETag"));
  std::erase(revision, '"');
  return check_revision("draft of " + options.key, revision, options.if_match);
}

Result<> save(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  TRY(std::string content, read_file_or_input(options.file));
  if (session.dry_run) {
    TRYV(check_draft(session, options, key));
    return session.would(fmt::format("save the draft of {} ({} bytes)", options.key, content.size()));
  }
  http::ClientRequest request{.method = "PUT",
                              .target = with_query(path_of("/v1/drafts", key), {{"format", options.format}}),
                              .headers = {},
                              .body = std::move(content)};
  if (options.if_match) request.headers.emplace_back("If-Match", quoted(*options.if_match));
  TRY(const boost::json::value outcome, session.call_json(std::move(request)));
  if (const auto* problem = outcome.as_object().if_contains("problem"))
    session.notice = fmt::format("warning: it cannot be published as it is: {}", member_text(*problem, "message"));
  return session.print(outcome, [&] {
    return fmt::format("saved the draft of {0}: revision {1}\nsee what it changes with: config-center diff {0}\n",
                       options.key, member_text(outcome, "revision"));
  });
}

Result<> show(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  TRY(const http::ClientResponse answer,
      session.call({.target = with_query(path_of("/v1/drafts", key), with_freshness({}, options.freshness))}));
  return session.print({{"key", options.key},
                        {"format", answer.header("X-Config-Format")},
                        {"base_version", answer.header("X-Config-Base-Version")},
                        {"etag", answer.header("ETag")},
                        {"content", answer.body}},
                       [&] { return for_output(answer.body); });
}

Result<> discard(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  const std::string what = "discard the draft of " + options.key;
  if (session.dry_run) {
    TRYV(session.call({.target = path_of("/v1/drafts", key)}));
    return session.would(what);
  }
  TRYV(session.confirm(what));
  TRY(const boost::json::value outcome, session.call_json({.method = "DELETE", .target = path_of("/v1/drafts", key)}));
  return session.print(outcome, [&] { return fmt::format("discarded the draft of {}\n", options.key); });
}

Result<> list(Session& session, const Options& options) {
  TRY(const Where where, parse_where(options.where));
  TRY(const boost::json::array drafts,
      session.list("/v1/drafts", with_freshness(query_of(where), options.freshness), options.page));
  return session.print_list(drafts,
                            {{"KEY", "key"},
                             {"FORMAT", "format"},
                             {"FROM VERSION", "base_version"},
                             {"REVISION", "revision"},
                             {"SIZE", "size"},
                             {"AUTHOR", "author"},
                             {"TIME", "time"}},
                            "no drafts");
}

Result<> publish(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  if (session.dry_run) {
    TRY(const http::ClientResponse draft, session.call({.target = path_of("/v1/drafts", key)}));
    TRY(const auto before, published(session, key));
    TRYV(check_release(session, key, before, {.revision = options.if_match}));
    return print_planned_release(session, "publish the draft of " + options.key, key, before, draft.body);
  }
  http::ClientRequest request{
      .method = "PUT",
      .target =
          with_query(path_of("/v1/configs", key),
                     {{"from", "draft"},
                      {"comment", options.message},
                      {"draft_revision", options.draft_revision ? std::to_string(*options.draft_revision) : ""}})};
  if (options.if_match) request.headers.emplace_back("If-Match", quoted(*options.if_match));
  TRY(const boost::json::value outcome, session.call_json(std::move(request)));
  return print_release(session, "published", outcome);
}

CLI::App* add_with_key(CLI::App& group, const std::string& name, const std::string& meaning, Options& options) {
  CLI::App* command = add_command(group, name, meaning);
  command->add_option("key", options.key, "environment/application/cluster/name")->required()->type_name("KEY");
  return command;
}

}  // namespace

void add_draft(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group =
      add_command(root, "draft", "Edit content that no client sees until it is published")->require_subcommand(1);
  group->footer(examples({
      "config-center draft save dev/shop/default/application.yaml --file application.yaml",
      "config-center diff dev/shop/default/application.yaml",
      "config-center draft publish dev/shop/default/application.yaml -m \"raise pool size\"",
  }));

  CLI::App* command = add_with_key(*group, "save", "Save the draft of a config", *options);
  command->add_option("-f,--file", options->file, "The content; - reads standard input")->required()->type_name("FILE");
  command->add_option("--format", options->format, "Format; without it the config's own, or the name's")
      ->check(one_of({"properties", "yaml", "json", "toml", "xml", "text"}))
      ->type_name("FORMAT");
  add_if_match(*command, options->if_match, "Only when the draft is still at this revision");
  add_dry_run(*command, session);
  command->footer(examples({"config-center draft save dev/shop/default/application.yaml --file application.yaml"}));
  on_run(*command, session, [&session, options] { return save(session, *options); });

  command = add_with_key(*group, "show", "Print the content of a draft", *options);
  add_freshness(*command, options->freshness);
  command->footer(examples({"config-center draft show dev/shop/default/application.yaml"}));
  on_run(*command, session, [&session, options] { return show(session, *options); });

  command = add_with_key(*group, "discard", "Throw a draft away", *options);
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({"config-center draft discard dev/shop/default/application.yaml --yes"}));
  on_run(*command, session, [&session, options] { return discard(session, *options); });

  command = add_command(*group, "list", "List drafts");
  command
      ->add_option("where", options->where, "environment[/application[/cluster[/start of the name]]]; nothing is all")
      ->type_name("WHERE");
  add_page_options(*command, options->page);
  add_freshness(*command, options->freshness);
  command->footer(examples({"config-center draft list", "config-center draft list dev/shop"}));
  on_run(*command, session, [&session, options] { return list(session, *options); });

  command = add_with_key(*group, "publish", "Make the draft the newest release", *options);
  command->add_option("-m,--message", options->message, "Why, for the history")->type_name("TEXT");
  add_if_match(*command, options->if_match, "Only when the config is still at this revision");
  command->add_option("--draft-revision", options->draft_revision, "Only when the draft is still at this revision")
      ->type_name("REVISION");
  add_dry_run(*command, session);
  command->footer(examples({
      "config-center draft publish dev/shop/default/application.yaml -m \"raise pool size\"",
      "config-center draft publish dev/shop/default/application.yaml --draft-revision 44",
  }));
  on_run(*command, session, [&session, options] { return publish(session, *options); });
}

}  // namespace cc::cli
