// One connection to one Redis (or Sentinel, which speaks alike). Blocks its thread, each exchange for no longer than
// its time and not once it is asked to stop. After an error of the connection it is of no more use: make another.
//
// One thread at a time. SIGPIPE must be ignored by the process.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/host_port.h"
#include "base/result.h"

namespace cc::edge {

// host:port, as people write it.
std::string to_string(const HostAndPort& address);

struct Reply {
  enum class Kind { nothing, text, number, list, error };
  Kind kind = Kind::nothing;
  std::string text;  // of an error: what Redis says, "READONLY You can't …"
  std::int64_t number = 0;
  std::vector<Reply> items;
};

// How long one exchange may take, and whose request ends it early. `clock` outlives what is made with it.
struct Patience {
  const Clock& clock;
  std::stop_token stop = {};
  std::chrono::milliseconds each{3000};
};

// Errors are `unavailable` and name the server; also those that Redis answers itself, of which READONLY, LOADING and
// the like mean that another server should be asked.
class Redis {
 public:
  // Connected, and let in with the password where there is one.
  static Result<Redis> connect(const HostAndPort& address, std::string_view password, Patience patience);
  Redis(Redis&&) noexcept;
  Redis& operator=(Redis&&) noexcept;
  ~Redis();

  // One command more for the next exchange.
  void add(std::initializer_list<std::string_view> command);
  // Sends what was added; an answer for each, in order. Answers that are errors are among them.
  Result<std::vector<Reply>> exchange();

  // One command, after what was added; the answer to it. What Redis refuses is the Error.
  Result<Reply> ask(std::initializer_list<std::string_view> command);

  // A transaction: begin(), add() what is in it, commit(). False when a watched key has been changed by somebody else,
  // and nothing was done. An error when any of its commands was refused.
  void begin();
  Result<bool> commit();

  const HostAndPort& address() const;

 private:
  struct Impl;
  explicit Redis(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::edge
