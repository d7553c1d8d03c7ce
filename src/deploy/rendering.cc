#include "deploy/rendering.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cc::deploy {

RenderedFiles files_of(const Topology& topology, const Secrets& secrets, const Host& host) {
  RenderedFiles all;
  for (const auto component : {database_files, cache_files, app_files, load_balancer_files, monitoring_files})
    std::ranges::move(component(topology, secrets, host), std::back_inserter(all));
  return all;
}

}  // namespace cc::deploy
