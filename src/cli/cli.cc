#include "cli/cli.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/table.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/help_format.h"
#include "cli/session.h"
#include "cli/terminal.h"

namespace cc::cli {
namespace {

void add_commands(CLI::App& root, Session& session) {
  add_serve(root, session);
  add_config(root, session);
  add_health(root, session);
  add_login(root, session);
  add_logout(root, session);
  add_whoami(root, session);
  add_publish(root, session);
  add_get(root, session);
  add_draft(root, session);
  add_diff(root, session);
  add_history(root, session);
  add_rollback(root, session);
  add_watch(root, session);
  add_list(root, session);
  add_delete(root, session);
  add_export(root, session);
  add_import(root, session);
  add_env(root, session);
  add_app(root, session);
  add_user(root, session);
  add_role(root, session);
  add_key(root, session);
  add_audit(root, session);
  add_cluster(root, session);
  add_archive(root, session);
  add_edge(root, session);
  add_backup(root, session);
  add_restore(root, session);
  add_playground(root, session);
  add_topology(root, session);
  add_check_environment(root, session);
  add_plan(root, session);
  add_deploy(root, session);
  add_verify(root, session);
  add_services(root, session);
  add_scale(root, session);
  add_failover(root, session);
  add_maintenance(root, session);
  add_hosts(root, session);
  add_deployment(root, session);
  add_container(root, session);
  add_monitoring(root, session);
  add_completion(root, session);
  add_bench(root, session);
  add_version(root, session);
}

// "config-center draft save", as far as the commands were recognised.
const CLI::App* deepest(const CLI::App& root) {
  const CLI::App* at = &root;
  for (auto next = at->get_subcommands(); !next.empty(); next = at->get_subcommands())
    at = next.front();
  return at;
}

std::string full_name(const CLI::App& command) {
  const CLI::App* above = command.get_parent();
  return above == nullptr ? command.get_name() : full_name(*above) + " " + command.get_name();
}

// What `command` would have understood: its commands and options.
std::vector<std::string> understood(const CLI::App& command, bool options) {
  std::vector<std::string> out;
  if (!options) {
    for (const CLI::App* each : command.get_subcommands([](const CLI::App*) { return true; }))
      if (!each->get_group().empty()) out.push_back(each->get_name());
    return out;
  }
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent())
    for (const CLI::Option* each : at->get_options())
      for (const std::string& name : each->get_lnames())
        out.push_back("--" + name);
  return out;
}

int usage_failure(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App* at = deepest(root);
  std::string message = error.what();
  const std::vector<std::string> rest = root.remaining(true);
  if (!rest.empty()) {
    const std::string& word = rest.front();
    const bool option = word.starts_with('-');
    const std::vector<std::string> known = understood(*at, option);
    const std::string_view near =
        nearest(word.substr(0, word.find('=')), std::vector<std::string_view>(known.begin(), known.end()));
    if (option || !known.empty()) {
      message = fmt::format("there is no {} \"{}\"{}", option ? "option" : "command", word,
                            near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
    } else {
      message = fmt::format("\"{}\" is one argument too many", word);
    }
  }
  fmt::print(stderr, "{}: {}\nHow it is used: {} --help\n", full_name(*at), message, full_name(*at));
  return 2;
}

// Libraries throw at what nobody expected, such as an answer of another shape, and nobody above knows more of it.
Result<int> result_of(Session& session) {
  try {
    return session.chosen();
  } catch (const std::exception& e) {
    if (!session.has_asked()) return fail(Code::internal, e.what());
    return fail(Code::internal, fmt::format("{} answered something unexpected; is it a config-center? ({})",
                                            session.server().value_or("the server"), e.what()));
  }
}

int run_chosen(const CLI::App& root, Session& session) {
  const Result<int> status = result_of(session);
  if (!session.notice.empty()) fmt::print(stderr, "{}\n", session.notice);
  if (status) return *status;
  if (!reader_is_gone(status.error()))
    fmt::print(stderr, "{}: {}\n", full_name(*deepest(root)), visible_lines(status.error().message));
  return is_wrong_usage(status.error()) ? 2 : 1;
}

// --help and --version.
int print_text(const CLI::App& root, const CLI::Success& asked) {
  std::ostringstream text;
  root.exit(asked, text, text);
  const auto written = write_output(text.str());
  if (!written && !reader_is_gone(written.error())) fmt::print(stderr, "config-center: {}\n", written.error().message);
  return written ? 0 : 1;
}

}  // namespace

int run(int argc, char** argv) {
  hold_standard_streams();
  Session session;
  CLI::App root("A distributed configuration center: the server, its command line, and the operator's tool.",
                "config-center");
  root.fallthrough();
  root.require_subcommand(1);
  root.set_version_flag("--version", "config-center " CC_VERSION, "Print the version");
  root.set_help_flag("-h,--help", "Print this help");
  root.formatter(help_format());
  add_shared_options(root, session);
  add_commands(root, session);
  root.footer(
      "\nStart here:\n  config-center serve\n  config-center login --username admin\n"
      "  config-center publish dev/shop/default/application.yaml --file application.yaml\n\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage.");
  if (argc == 1) {
    fmt::print(stderr, "{}", root.help());
    return 2;
  }
  // As people type it: config-center help publish.
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  if (words.front() == "__complete") {
    return print_candidates(root, session, {words.begin() + 1, words.end()});
  }
  try {
    std::ranges::reverse(words);  // as CLI11 wants them
    root.parse(words);
  } catch (const CLI::Success& help_or_version) {
    return print_text(root, help_or_version);
  } catch (const CLI::ParseError& error) {
    return usage_failure(root, error);
  }
  return run_chosen(root, session);
}

}  // namespace cc::cli
