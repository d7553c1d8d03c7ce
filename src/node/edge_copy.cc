#include "node/edge_copy.h"

#include <future>
#include <utility>

#include "base/text.h"

namespace cc::node {
namespace {

using namespace std::chrono_literals;

// Everything that any node may have applied is in this node's file.
bool catch_up(consensus::Log& log) {
  constexpr auto kPatience = 2s;
  auto caught_up = std::make_shared<std::promise<bool>>();
  auto done = caught_up->get_future();
  log.read_barrier(kPatience, [caught_up](const Result<>& reached) { caught_up->set_value(reached.has_value()); });
  return done.get() && log.settle(kPatience);
}

}  // namespace

Result<std::optional<edge::Servers>> redis_of(const Settings& settings) {
  const auto& cache = settings.cache;
  const bool by_sentinels = !trim(cache.sentinels).empty();
  if (cache.host.empty() && !by_sentinels) return std::nullopt;
  edge::Servers servers{.address = {.host = cache.host, .port = cache.port},
                        .sentinels = {},
                        .sentinel_primary = cache.sentinel_primary,
                        .password = cache.password,
                        .sentinel_password = cache.sentinel_password};
  if (!by_sentinels) return servers;
  for (const std::string_view each : split(cache.sentinels, ',')) {
    TRY(auto sentinel, parse_host_and_port(trim(each)));
    servers.sentinels.push_back(std::move(sentinel));
  }
  return servers;
}

std::unique_ptr<edge::Edge> make_edge(const edge::Servers& redis, const Settings& settings, const Path& state_file,
                                      Bell& committed, consensus::Log& log, const Clock& clock) {
  const edge::Copy::Source source{
      .state_file = state_file, .committed = committed, .catch_up = [&log] { return catch_up(log); }};
  return std::make_unique<edge::Edge>(redis, settings.cache.key_prefix, source, clock);
}

}  // namespace cc::node
