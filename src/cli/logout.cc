#include <algorithm>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/session.h"

namespace cc::cli {
namespace {

Result<> logout(Session& session) {
  TRY(const std::vector<std::string> servers, session.servers());
  TRY(CredentialsContent kept, session.credentials().load());
  const auto known = std::ranges::find_if(servers, [&](const auto& each) { return kept.servers.contains(each); });
  if (known == servers.end()) return fail(Code::not_found, "you are not logged in to " + servers.front());
  const std::string& url = *known;
  const auto found = kept.servers.find(url);

  const auto answer = session.send_as(found->second.token, {.method = "POST", .target = "/v1/logout"});
  kept.servers.erase(found);
  if (kept.current == url) kept.current.clear();
  TRYV(session.credentials().save(kept));

  // 401: the token had expired, or was ended already.
  if (answer && (answer->status < 400 || answer->status == 401)) {
    return session.print({{"server", url}, {"logged_out", true}},
                         [&] { return fmt::format("logged out of {}\n", url); });
  }
  Error error = answer ? http::error_of(*answer) : answer.error();
  return fail(std::move(error).with_context(
      "the token was forgotten here, but the server was not told and accepts it until it expires"));
}

}  // namespace

void add_logout(CLI::App& root, Session& session) {
  CLI::App* command = add_command(root, "logout", "End the token of this login, here and on the server");
  command->footer(examples({"config-center logout", "config-center --server https://config.example logout"}));
  on_run(*command, session, [&session] { return logout(session); });
}

}  // namespace cc::cli
