#include "archive/primary.h"

#include <fmt/format.h>

namespace cc::archive {

Access access_of(const Options& options) {
  return {.username = options.username,
          .password = options.password,
          .database = options.database,
          .sslmode = options.sslmode,
          .root_certificate = options.root_certificate};
}

Result<Primary> Primary::find(const Options& options, const Clock& clock, const Limit& limit) {
  TRY(const auto servers, parse_servers(options.hosts, options.port));
  Primary out;
  out.watchdog_ = std::make_unique<Watchdog>(clock);
  std::string said;
  for (const Server& server : servers) {
    const auto is_one = guarded(server.to_string(), [&]() -> Result<> {
      out.server_ = server;
      out.connection_ = std::make_unique<Connection>(server, access_of(options));
      return out.with(limit, [&](Connection& connection) -> Result<> {
        if (!connection.run("SELECT pg_is_in_recovery()")[0][0].as<bool>()) return {};
        return fail(Code::unavailable, server.to_string() + " is a replica");
      });
    });
    if (is_one) return out;
    if (servers.size() == 1) return fail(is_one.error());
    said += fmt::format("{}{}", said.empty() ? "" : "; ", is_one.error().message);
  }
  return fail(Code::unavailable, "no primary of the archive is reached: " + said);
}

}  // namespace cc::archive
