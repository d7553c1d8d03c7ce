#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/grants_output.h"
#include "cli/session.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

Result<> whoami(Session& session) {
  TRY(const std::string url, session.server());
  TRY(const boost::json::value who, session.get_json("/v1/whoami"));
  return session.print(who, [&] {
    const std::string expires = member_text(who, "expires_at");
    return fmt::format("server   {}\nname     {} ({})\ngrants   {}\nexpires  {}\n", url, member_text(who, "name"),
                       member_text(who, "kind"), grants_text(who), expires.empty() ? "never" : expires);
  });
}

}  // namespace

void add_whoami(CLI::App& root, Session& session) {
  CLI::App* command = add_command(root, "whoami", "Print who the server takes you for, and what you may do");
  command->footer(examples({"config-center whoami", "CONFIG_CENTER_TOKEN=ck_... config-center whoami -o json"}));
  on_run(*command, session, [&session] { return whoami(session); });
}

}  // namespace cc::cli
