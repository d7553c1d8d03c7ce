#include "model/diff.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/address.h"
#include "cli/commands.h"
#include "cli/release_output.h"
#include "cli/session.h"
#include "cli/terminal.h"

namespace cc::cli {
namespace {

struct Options {
  std::string key, range, file;
  Freshness freshness;
};

Result<> print_unified(Session& session, const std::string& unified, const std::string& from, const std::string& to) {
  if (unified.empty() && session.output == Output::table) fmt::print(stderr, "{} and {} are equal\n", from, to);
  return session.print({{"from", from}, {"to", to}, {"equal", unified.empty()}, {"diff", unified}},
                       [&] { return printed_diff(unified); });
}

Result<> diff_with_file(Session& session, const Options& options, const ConfigKey& key) {
  TRY(const std::string content, read_file_or_input(options.file));
  TRY(const auto before, published(session, key, options.freshness));
  if (!before) return fail(Code::not_found, fmt::format("there is no published {}", options.key));
  const std::string from = fmt::format("{} (version {})", options.key, before->version);
  return print_unified(session, unified_diff(before->content, content, from, options.file), from, options.file);
}

Result<> diff(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  if (!options.file.empty()) {
    if (!options.range.empty()) return wrong_usage("--file compares with what is published; leave out the range");
    return diff_with_file(session, options, key);
  }
  TRY(const VersionRange range, parse_range(options.range));
  const std::string asked = range.from + ".." + range.to;
  const bool as_lines = session.output != Output::table;
  const std::string target =
      with_query(path_of("/v1/releases", key),
                 with_freshness({{"diff", asked}, {"output", as_lines ? "json" : "unified"}}, options.freshness));
  if (as_lines) {
    TRY(const boost::json::value lines, session.get_json(target));
    return session.print(lines, [] { return std::string(); });
  }
  TRY(const http::ClientResponse answer, session.call({.target = target}));
  return print_unified(session, answer.body, range.from, range.to);
}

}  // namespace

void add_diff(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "diff", "Show what differs between two versions, the draft, or a local file");
  command->add_option("key", options->key, "environment/application/cluster/name")->required()->type_name("KEY");
  command
      ->add_option(
          "range", options->range,
          "A..B, each a version, draft or published; A alone is against published; nothing is published..draft")
      ->type_name("A..B");
  command->add_option("-f,--file", options->file, "Compare what is published with this file; - is standard input")
      ->type_name("FILE");
  add_freshness(*command, options->freshness);
  command->footer(examples({
      "config-center diff dev/shop/default/application.yaml 1..2",
      "config-center diff dev/shop/default/application.yaml              what the draft would change",
      "config-center diff dev/shop/default/application.yaml --file application.yaml",
      "config-center diff dev/shop/default/application.yaml 1..2 -o json",
  }));
  on_run(*command, session, [&session, options] { return diff(session, *options); });
}

}  // namespace cc::cli
