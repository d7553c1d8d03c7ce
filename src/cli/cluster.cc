#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/session.h"

namespace cc::cli {

void add_cluster(CLI::App& root, Session& session) {
  CLI::App* group =
      add_command(root, "cluster",
                  "See and change the group of nodes (clusters of applications: config-center app cluster)")
          ->require_subcommand(1);
  group->footer(examples({"config-center cluster status", "config-center cluster add 4@10.0.0.4:7848",
                          "config-center cluster transfer 2"}));
  add_cluster_status(*group, session);
  add_cluster_changes(*group, session);
  add_cluster_recover(*group, session);
}

}  // namespace cc::cli
