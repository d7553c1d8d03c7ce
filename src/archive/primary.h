// A connection to the archive's primary alone, for who has neither a pool nor the time to look at all servers now and
// then. Inside src/archive.
#pragma once

#include <memory>
#include <utility>

#include "archive/archive.h"
#include "archive/connection.h"
#include "archive/watchdog.h"
#include "base/result.h"

namespace cc::archive {

Access access_of(const Options& options);

class Primary {
 public:
  // unavailable when no server is one, with what each of them said.
  static Result<Primary> find(const Options& options, const Clock& clock, const Limit& limit);

  const Server& server() const { return server_; }

  // Runs `body(connection)`, which returns a Result; at the limit the connection is lost. Failures are Errors.
  template <class Body>
  auto with(const Limit& limit, const Body& body) const -> decltype(body(std::declval<Connection&>())) {
    return guarded(server_.to_string(), [&] {
      const Watchdog::Watch watch(*watchdog_, connection_->socket(), limit.until, limit.called_off);
      return body(*connection_);
    });
  }

 private:
  Server server_;
  std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace cc::archive
