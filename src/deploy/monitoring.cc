#include "deploy/monitoring.h"

#include <iterator>

namespace cc::deploy {

RenderedFiles monitoring_files(const Topology& topology, const Secrets& secrets, const Host& host) {
  RenderedFiles files;
  for (RenderedFiles& some : std::vector{exporter_files(topology, secrets, host), prometheus_files(topology, host),
                                         alertmanager_files(topology, host), grafana_files(topology, secrets, host)})
    std::ranges::move(some, std::back_inserter(files));
  return files;
}

}  // namespace cc::deploy
