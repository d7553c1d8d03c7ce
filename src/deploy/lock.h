// One operation at a time on an installation: a folder on its first node's host, with who, since when, and what for.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "deploy/connection.h"

namespace cc::deploy {

class Lock {
 public:
  // conflict, with who holds it and how to break it. `connection`, to the host that has it, must outlive this.
  static Result<Lock> take(Connection& connection, const std::string& operation, const Clock& clock);
  ~Lock();
  Lock(Lock&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)), clock_(other.clock_), words_(std::move(other.words_)) {}
  Lock& operator=(Lock&&) = delete;

 private:
  Lock(Connection& connection, const Clock& clock, std::string words)
      : connection_(&connection), clock_(&clock), words_(std::move(words)) {}
  Connection* connection_;
  const Clock* clock_;
  std::string words_;  // by which the holder is told
};

// The host that has the lock.
const Host& host_of_lock(const Topology& topology);

// Who holds it; empty: nobody.
Result<std::string> holder(Connection& connection, const Deadline& until);
Result<> break_lock(Connection& connection, const Deadline& until);

}  // namespace cc::deploy
