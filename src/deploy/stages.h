// The whole way from bare hosts to a running installation, as stages of steps; what is so already is found to be so.
#pragma once

#include <optional>

#include "base/file.h"
#include "deploy/data.h"
#include "deploy/release.h"
#include "deploy/secrets.h"
#include "deploy/service.h"
#include "deploy/step.h"
#include "deploy/topology.h"

namespace cc::deploy {

struct Wish {
  const Topology& topology;
  const Secrets& secrets;
  Release release;
  Run run;
  bool overwrite = false;  // also files that were changed by hand
  bool backup = false;     // the nodes' data are backed up first
  // The nodes' data go back to this one, before they start; what goes along is in `work`, on the operator's side, for
  // as long as it takes.
  std::optional<KeptBackup> data = {};
  Path work = {};
};

// Install, package, configure, and start in the order in which one needs the other.
Stages stages_of(const Wish& wish);

// Of `services`: those that are not active are started; all are stopped, the other way round; or each is restarted, one
// host after the other; or reads its settings again, where it can. Nothing of it is undone.
Stages stages_to_start(const Wish& wish, const std::vector<Service>& services);
Stages stages_to_stop(const std::vector<Service>& services);
Stages stages_to_restart(const Wish& wish, const std::vector<Service>& services);
Stages stages_to_reload(const Wish& wish, const std::vector<Service>& services);

}  // namespace cc::deploy
