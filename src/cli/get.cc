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
};

Result<> get(Session& session, const Options& options) {
  TRY(const ConfigKey key, parse_key(options.key));
  http::ClientRequest request{.target = with_query(path_of("/v1/configs", key), {{"version", options.version}})};
  if (options.if_none_match) request.headers.emplace_back("If-None-Match", quoted(*options.if_none_match));
  TRY(const http::ClientResponse answer, session.call(std::move(request)));
  if (answer.status == 304) {
    fmt::print(stderr, "{} has not changed since revision {}\n", options.key, *options.if_none_match);
    return {};
  }
  if (!options.output_file.empty()) {
    TRYV(write_file(options.output_file, answer.body));
    fmt::print(stderr, "wrote {}: version {}, revision {}\n", options.output_file, answer.header("X-Config-Version"),
               answer.header("X-Config-Revision"));
    return {};
  }
  const auto number = [&](std::string_view name) {
    return boost::json::value(std::strtoull(std::string(answer.header(name)).c_str(), nullptr, 10));
  };
  session.print({{"key", options.key},
                 {"version", number("X-Config-Version")},
                 {"revision", number("X-Config-Revision")},
                 {"format", answer.header("X-Config-Format")},
                 {"md5", answer.header("X-Config-Md5")},
                 {"content", answer.body}},
                [&] { return answer.body; });
  return {};
}

}  // namespace

void add_get(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      root.add_subcommand("get", "Print the content of a config, byte for byte; with -o json also what is known of it");
  command->add_option("key", options->key, "environment/application/cluster/name")->required()->type_name("KEY");
  command->add_option("--version", options->version, "This release instead of what is published")
      ->check(positive())
      ->type_name("N");
  command->add_option("--if-none-match", options->if_none_match, "Print nothing when it is still at this revision")
      ->type_name("REVISION");
  command->add_option("--output-file", options->output_file, "Write here instead; the file is replaced whole")
      ->type_name("FILE");
  command->footer(examples({
      "config-center get dev/shop/default/application.yaml",
      "config-center get dev/shop/default/application.yaml --version 1",
      "config-center get dev/shop/default/application.yaml --output-file application.yaml",
      "config-center get dev/shop/default/application.yaml -o json",
  }));
  on_run(*command, session, [&session, options] { return get(session, *options); });
}

}  // namespace cc::cli
