// The connections to the servers of the archive: so many in all and no more, each for a limited time.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "archive/connection.h"
#include "archive/watchdog.h"
#include "base/clock.h"
#include "base/result.h"

namespace cc::archive {

struct PoolOptions {
  std::vector<Server> servers;
  Access access;
  std::size_t size = 8;  // to all servers together
  std::chrono::milliseconds max_lifetime{std::chrono::minutes(30)};
};

// Thread-safe.
class Pool {
 public:
  Pool(PoolOptions options, const Clock& clock);
  ~Pool();

  const std::vector<Server>& servers() const { return options_.servers; }

  // One connection to a server, alone, until the lease ends; and no longer than the limit, at which it is lost. Waits
  // for one, as long as the limit allows: exhausted. Throws what connecting throws. What a connection had begun and not
  // committed when its lease ends is undone.
  class Lease;
  Lease take(std::size_t server, const Limit& limit);

  // Runs `body(connection)`, which returns a Result. Failures are Errors.
  template <class Body>
  auto with(std::size_t server, const Limit& limit, const Body& body) -> decltype(body(std::declval<Connection&>()));

  struct Use {
    std::size_t open = 0, taken = 0;
    std::uint64_t connects = 0;  // since the node started
  };
  Use use() const;

 private:
  struct Idle {
    std::size_t server;
    std::unique_ptr<Connection> connection;
  };
  std::unique_ptr<Connection> find_or_make_room(std::size_t server, const Limit& limit);
  void give_back(std::size_t server, std::unique_ptr<Connection> connection);

  PoolOptions options_;
  const Clock& clock_;
  Watchdog watchdog_;
  mutable std::mutex mutex_;
  std::condition_variable_any given_back_;
  std::vector<Idle> idle_;      // guarded by mutex_
  std::size_t taken_ = 0;       // guarded by mutex_
  std::uint64_t connects_ = 0;  // guarded by mutex_
};

class Pool::Lease {
 public:
  Lease(Pool& owner, std::size_t server, std::unique_ptr<Connection> connection, const Limit& limit);
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();
  Connection& operator*() const { return *connection_; }
  Connection* operator->() const { return connection_.get(); }
  void fine() { fine_ = true; }  // nothing is open in it: it may be used again

 private:
  Pool& owner_;
  std::size_t server_;
  std::unique_ptr<Connection> connection_;
  std::optional<Watchdog::Watch> watch_;  // no longer than there is the connection
  bool fine_ = false;
};

template <class Body>
auto Pool::with(std::size_t server, const Limit& limit, const Body& body)
    -> decltype(body(std::declval<Connection&>())) {
  return guarded(servers()[server].to_string(), [&]() -> decltype(body(std::declval<Connection&>())) {
    Lease lease = take(server, limit);
    auto answer = body(*lease);
    if (answer) lease.fine();
    return answer;
  });
}

}  // namespace cc::archive
