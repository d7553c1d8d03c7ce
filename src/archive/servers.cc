#include "archive/servers.h"

#include <pthread.h>

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/pause.h"

namespace cc::archive {
namespace {

constexpr std::chrono::seconds kLookEvery{2};
constexpr std::chrono::seconds kPatience{2};

// Also while it is rebuilt.
bool has(const ServerState& state, const state::FeedPosition& needed) {
  return state.answers && state.position && state.position->written.release >= needed.release &&
         state.position->written.audit >= needed.audit;
}

}  // namespace

Servers::Servers(Pool& pool, const Clock& clock, std::function<void()> looked)
    : pool_(pool), clock_(clock), looked_(std::move(looked)), states_(pool.servers().size()) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Servers::~Servers() = default;

std::vector<ServerState> Servers::all() const {
  const std::lock_guard lock(mutex_);
  return states_;
}

ServerState Servers::look(std::size_t server, const std::stop_token& stop) {
  const Limit limit{.until = clock_.now() + kPatience, .called_off = stop};
  auto found = pool_.with(server, limit, [](Connection& connection) -> Result<ServerState> {
    const bool replica = connection.run("SELECT pg_is_in_recovery()")[0][0].as<bool>();
    return ServerState{.answers = true, .primary = !replica, .position = read_position(connection), .trouble = {}};
  });
  const bool none_free = !found && found.error().code == Code::exhausted;
  ServerState state = found ? *std::move(found) : ServerState{.trouble = found.error().message};
  // That all connections are in use says nothing about the server.
  const std::lock_guard lock(mutex_);
  if (none_free) return states_[server];
  states_[server] = state;
  return state;
}

Result<std::size_t> Servers::find_primary(const std::stop_token& stop) {
  const std::vector<ServerState> before = all();
  std::vector<std::size_t> order(before.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::partition(order, [&](std::size_t i) { return before[i].answers && before[i].primary; });
  std::string found;
  for (const std::size_t server : order) {
    if (stop.stop_requested()) break;
    const ServerState state = look(server, stop);
    if (state.primary) return server;
    found += fmt::format("{}{}", found.empty() ? "" : "; ",
                         state.answers ? pool_.servers()[server].to_string() + " is a replica" : state.trouble);
  }
  return fail(Code::unavailable, "no primary of the archive is reached: " + found);
}

std::vector<std::size_t> Servers::readers(const state::FeedPosition& needed) {
  const std::lock_guard lock(mutex_);
  std::vector<std::size_t> replicas, primaries;
  ++turn_;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const std::size_t server = (i + turn_) % states_.size();
    if (has(states_[server], needed)) (states_[server].primary ? primaries : replicas).push_back(server);
  }
  replicas.insert(replicas.end(), primaries.begin(), primaries.end());
  return replicas;
}

void Servers::failed(std::size_t server, const Error& why) {
  const std::lock_guard lock(mutex_);
  states_[server].answers = false;
  states_[server].trouble = why.message;
}

void Servers::run(const std::stop_token& stop) {
  ::pthread_setname_np(::pthread_self(), "cc-archive");
  while (!stop.stop_requested()) {
    for (std::size_t server = 0; server < pool_.servers().size() && !stop.stop_requested(); ++server)
      look(server, stop);
    looked_();
    pause_for(kLookEvery, stop);
  }
}

}  // namespace cc::archive
