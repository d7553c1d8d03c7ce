#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/file.h"
#include "cli/address.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/terminal.h"

namespace cc::cli {
namespace {

struct Options {
  std::string key, version, output_file;
  std::optional<std::uint64_t> if_none_match;
  Freshness freshness;
};

Result<> get(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  http::ClientRequest request{.target = with_query(path_of("/v1/configs", key),
                                                   with_freshness({{"version", options.version}}, options.freshness))};
  if (options.if_none_match) request.headers.emplace_back("If-None-Match", quoted(*options.if_none_match));
  TRY(const http::ClientResponse answer, session.call(std::move(request)));
  const bool for_person = session.output == Output::table;
  if (answer.status == 304) {
    if (!for_person) return session.print({{"key", options.key}, {"changed", false}}, {});
    fmt::print(stderr, "{} has not changed since revision {}\n", options.key, *options.if_none_match);
    return {};
  }
  const bool to_file = !options.output_file.empty() && options.output_file != "-";
  if (to_file) {
    TRYV(write_named_file(options.output_file, answer.body));
    if (for_person) {
      fmt::print(stderr, "wrote {}: version {}, revision {}\n", options.output_file, answer.header("X-Config-Version"),
                 answer.header("X-Config-Revision"));
      return {};
    }
  }
  const auto number = [&](std::string_view name) {
    return boost::json::value(std::strtoull(std::string(answer.header(name)).c_str(), nullptr, 10));
  };
  boost::json::object told = {{"key", options.key},
                              {"version", number("X-Config-Version")},
                              {"revision", number("X-Config-Revision")},
                              {"format", answer.header("X-Config-Format")},
                              {"secret", !answer.header("X-Config-Secret").empty()},
                              {"md5", answer.header("X-Config-Md5")}};
  if (to_file) {
    told["to"] = options.output_file;
  } else {
    told["content"] = answer.body;
  }
  return session.print(told, [&] { return for_output(answer.body); });
}

}  // namespace

void add_get(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(root, "get", "Print the content of a config, byte for byte; with -o json also what is known of it");
  command->add_option("key", options->key, "environment/application/cluster/name")->required()->type_name("KEY");
  command->add_option("--version", options->version, "This release instead of what is published")
      ->check(positive())
      ->type_name("N");
  command->add_option("--if-none-match", options->if_none_match, "Print nothing when it is still at this revision")
      ->check(whole_number())
      ->type_name("REVISION");
  command
      ->add_option("--output-file", options->output_file,
                   "Write here instead: a file is replaced whole and keeps its mode; - is standard output")
      ->type_name("FILE");
  add_freshness(*command, options->freshness);
  command->footer(examples({
      "config-center get dev/shop/default/application.yaml",
      "config-center get dev/shop/default/application.yaml --version 1",
      "config-center get dev/shop/default/application.yaml --output-file application.yaml",
      "config-center get dev/shop/default/application.yaml -o json",
      "config-center get dev/shop/default/application.yaml --consistency strong",
  }));
  on_run(*command, session, [&session, options] { return get(session, *options); });
}

}  // namespace cc::cli
