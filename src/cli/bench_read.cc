#include <CLI/CLI.hpp>

#include "cli/address.h"
#include "cli/bench_config.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "cli/session.h"

namespace cc::cli {
namespace {

struct Options {
  std::string key, url;
  BenchPlace place;
  LoadOptions load;
};

Result<> load_with(Session& session, const Options& options, const Endpoint& endpoint, const std::string& head) {
  TRY(Measured measured, run_load(endpoint, options.load, [&](std::size_t, std::string& out) { out += head; }));
  return print_measured(session, std::move(measured));
}

Result<> bench_url(Session& session, const Options& options) {
  TRY(const Endpoint endpoint, Endpoint::of_url(options.url));
  const std::size_t path = options.url.find('/', options.url.find("://") + 3);
  return load_with(session, options, endpoint,
                   request_head("GET", path == std::string::npos ? "/" : options.url.substr(path), endpoint, ""));
}

Result<> bench_read(Session& session, const Options& options) {
  if (!options.url.empty()) return bench_url(session, options);
  TRY(const std::string url, session.server());
  TRY(const std::string token, session.token());
  TRY(const Endpoint endpoint, Endpoint::of_url(url));
  BenchConfigs configs(session, options.place);
  ConfigKey key;
  if (options.key.empty()) {
    key = configs.key("read");
    TRYV(configs.publish(key, "bench read"));
  } else {
    TRY(key, parse_key(options.key));
    TRYV(session.call({.target = path_of("/v1/configs", key)}));
  }
  return load_with(session, options, endpoint, request_head("GET", path_of("/v1/configs", key), endpoint, token));
}

}  // namespace

void add_bench_read(CLI::App& bench, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(bench, "read", "Read one config over and over");
  CLI::Option* key = command->add_option("key", options->key, "Read this config instead of one made for the bench");
  key->type_name("KEY");
  command->add_option("--url", options->url, "GET this from any HTTP server instead, to compare; no token is sent")
      ->type_name("URL")
      ->excludes(key);
  add_load_options(*command, options->load);
  add_bench_place(*command, options->place);
  command->footer(examples({
      "config-center bench read",
      "config-center bench read dev/shop/default/application.yaml --connections 64 --duration 10s -o json",
      "config-center bench read --url http://127.0.0.1:8080/      the same against another server",
  }));
  on_run(*command, session, [&session, options] { return bench_read(session, *options); });
}

}  // namespace cc::cli
