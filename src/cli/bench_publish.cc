#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "cli/address.h"
#include "cli/bench_config.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "cli/session.h"

namespace cc::cli {
namespace {

struct Options {
  BenchPlace place;
  LoadOptions load;
};

Result<> bench_publish(Session& session, const Options& options) {
  TRY(const std::string url, session.server());
  TRY(const std::string token, session.token());
  TRY(const Endpoint endpoint, Endpoint::of_url(url));
  // One config for each connection. What a connection counts is its own: threads share nothing here.
  struct Publisher {
    std::string path;
    std::uint64_t count = 0;
  };
  BenchConfigs configs(session, options.place);
  std::vector<Publisher> publishers;
  publishers.reserve(options.load.connections);
  for (std::size_t i = 0; i < options.load.connections; ++i)
    publishers.push_back({path_of("/v1/configs", configs.key(fmt::format("publish-{}", i)))});
  // Refused once here reads better than refused a thousand times below.
  TRYV(configs.publish(configs.key("publish-first"), "bench publish"));

  const std::string run = random_id();
  const auto request = [&](std::size_t connection, std::string& out) {
    Publisher& publisher = publishers[connection];
    const std::string id = fmt::format("{}-{}-{}", run, connection, ++publisher.count);
    out = request_head(
        "PUT", publisher.path, endpoint, token,
        fmt::format("X-Request-Id: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n", id, options.place.size));
    out += BenchConfigs::content(fmt::format("{} {}", connection, publisher.count), options.place.size);
  };
  TRY(Measured measured, run_load(endpoint, options.load, request));
  return print_measured(session, std::move(measured));
}

}  // namespace

void add_bench_publish(CLI::App& bench, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(bench, "publish", "Publish new content over and over, a config for each connection");
  add_load_options(*command, options->load);
  add_bench_place(*command, options->place);
  command->footer(examples({
      "config-center bench publish",
      "config-center bench publish --connections 64 --size 256 --duration 10s -o json",
  }));
  on_run(*command, session, [&session, options] { return bench_publish(session, *options); });
}

}  // namespace cc::cli
