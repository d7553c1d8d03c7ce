#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/commands.h"
#include "cli/projection_output.h"
#include "cli/session.h"

namespace cc::cli {
void add_edge(CLI::App& root, Session& session) {
  CLI::App* group =
      add_command(root, "edge", "See how the copy of published configs in Redis is")->require_subcommand(1);
  group->footer(examples({"config-center edge status"}));
  CLI::App* status = add_command(*group, "status", "How far the copy is, where it is, and what is wrong with it");
  status->footer(examples({"config-center edge status", "config-center edge status -o json",
                           "config-center edge status --server http://10.0.0.2:8848"}));
  on_run(*status, session, [&session]() -> Result<> {
    TRY(const boost::json::value edge, session.get_json("/v1/edge"));
    return session.print(edge, [&] { return projection_text(edge); });
  });
}

}  // namespace cc::cli
