#include "archive/pool.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace cc::archive {

Pool::Pool(PoolOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock), watchdog_(clock) {}

Pool::~Pool() = default;

Pool::Lease Pool::take(std::size_t server, const Limit& limit) {
  std::unique_ptr<Connection> connection = find_or_make_room(server, limit);
  if (!connection) {
    try {
      connection = std::make_unique<Connection>(options_.servers[server], options_.access);
    } catch (...) {
      give_back(server, nullptr);
      throw;
    }
  }
  return {*this, server, std::move(connection), limit};
}

// Null: there is room for one more.
std::unique_ptr<Connection> Pool::find_or_make_room(std::size_t server, const Limit& limit) {
  std::unique_lock lock(mutex_);
  const auto room = [&] { return taken_ < options_.size; };
  const bool found = given_back_.wait_for(lock, limit.called_off, limit.until - clock_.now(), room);
  if (!found) {
    throw NoConnection(
        fmt::format("all {} connections are in use: raise database.pool_size, or try again later", options_.size));
  }
  ++taken_;
  const Mono now = clock_.now();
  std::erase_if(idle_, [&](const Idle& idle) {
    return now - idle.connection->opened() > options_.max_lifetime || idle.connection->ended();
  });
  if (const auto idle = std::ranges::find(idle_, server, &Idle::server); idle != idle_.end()) {
    auto connection = std::move(idle->connection);
    idle_.erase(idle);
    return connection;
  }
  if (taken_ + idle_.size() > options_.size) idle_.erase(idle_.begin());
  ++connects_;
  return nullptr;
}

void Pool::give_back(std::size_t server, std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    --taken_;
    if (connection && clock_.now() - connection->opened() <= options_.max_lifetime)
      idle_.push_back({.server = server, .connection = std::move(connection)});
  }
  given_back_.notify_one();
}

Pool::Use Pool::use() const {
  const std::lock_guard lock(mutex_);
  return {.open = idle_.size() + taken_, .taken = taken_, .connects = connects_};
}

Pool::Lease::Lease(Pool& owner, std::size_t server, std::unique_ptr<Connection> connection, const Limit& limit)
    : owner_(owner), server_(server), connection_(std::move(connection)) {
  watch_.emplace(owner.watchdog_, connection_->socket(), limit.until, limit.called_off);
}

Pool::Lease::~Lease() {
  watch_.reset();
  if (!fine_) connection_.reset();
  owner_.give_back(server_, std::move(connection_));
}

}  // namespace cc::archive
