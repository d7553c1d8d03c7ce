#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/session.h"

namespace cc::cli {

void add_bench(CLI::App& root, Session& session) {
  CLI::App* group = add_command(root, "bench", "Load a server from this process, and print throughput and latencies")
                        ->require_subcommand(1);
  group->footer(examples({"config-center bench read", "config-center bench publish --connections 64 --size 256",
                          "config-center bench watch --watchers 15000"}));
  add_bench_read(*group, session);
  add_bench_publish(*group, session);
  add_bench_watch(*group, session);
}

}  // namespace cc::cli
