#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/session.h"

namespace cc::cli {
namespace {

struct Asked {
  bool ready = false, for_writes = false;
  std::string target() const { return for_writes ? "/readyz?for=writes" : ready ? "/readyz" : "/livez"; }
};

// Nobody need be logged in: this is for Docker's HEALTHCHECK, load balancers and scripts.
Result<int> health(Session& session, const Asked& asked) {
  TRY(const http::ClientResponse answer, session.send_as("", {.target = asked.target()}));
  if (answer.status != 200 && answer.status != 503) return fail(session.error_of_answer(answer));
  const bool well = answer.status == 200;
  const std::string said(trim(answer.body));
  TRYV(session.print({{"healthy", well}, {"message", said}}, [&] { return said + "\n"; }));
  return well ? 0 : 1;
}

}  // namespace

void add_health(CLI::App& root, Session& session) {
  CLI::App* command = add_command(root, "health", "Ask whether a server is alive, or ready; without a login");
  auto asked = std::make_shared<Asked>();
  command->add_flag("--ready", asked->ready, "Whether it serves reads: not while it starts or stops");
  command->add_flag("--for-writes", asked->for_writes, "Whether changes can be made through it, too");
  command->footer(examples({"config-center health", "config-center health --ready --server http://10.0.0.2:8848",
                            "config-center health --for-writes -o json"}));
  on_run(*command, session, std::function<Result<int>()>([&session, asked] { return health(session, *asked); }));
}

}  // namespace cc::cli
