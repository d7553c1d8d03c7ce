#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/commands.h"
#include "cli/session.h"

namespace cc::cli {

void add_version(CLI::App& root, Session& session) {
  CLI::App* command = add_command(root, "version", "Print the version");
  command->footer(examples({"config-center version", "config-center --version"}));
  on_run(*command, session, [&session]() -> Result<> {
    return session.print({{"version", CC_VERSION}}, [] { return std::string("config-center " CC_VERSION "\n"); });
  });
}

}  // namespace cc::cli
