// Keeps a server busy for a while: every connection always has the same number of requests in flight.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"
#include "cli/latencies.h"
#include "cli/session.h"
#include "cli/swarm.h"

namespace cc::cli {

struct LoadOptions {
  std::size_t connections = 64, in_flight = 1, threads = 1;
  std::string duration = "10s", warmup = "1s";
};
void add_load_options(CLI::App& command, LoadOptions& options);

// `request(connection, out)` puts the next request of a connection into `out`, which is empty; it is called on one
// thread for one connection. What is answered during the warm-up or after the end is not counted.
using MakeRequest = std::function<void(std::size_t connection, std::string& out)>;
Result<Measured> run_load(const Endpoint& endpoint, const LoadOptions& options, const MakeRequest& request);

// The head of a request of the benches, up to and including the empty line.
std::string request_head(std::string_view method, const std::string& target, const Endpoint& endpoint,
                         const std::string& bearer, const std::string& further_headers = {});

// Prints what was measured; an error when not every answer was as it should be.
Result<> print_measured(Session& session, Measured measured, bool watched = false);

}  // namespace cc::cli
