// What happens once in the life of a cluster: its id, its first environments, its administrator.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "consensus/log.h"
#include "node/settings.h"

namespace cc::node {

// Proposes InitializeCluster and waits for it. `given` is CONFIG_CENTER_ADMIN_PASSWORD or null; without it a random
// password is made, kept in data_dir/admin-password (mode 0600), and returned to be shown once.
Result<std::optional<std::string>> create_cluster(consensus::Log& log, const Settings& settings, const Clock& clock,
                                                  const char* given);

}  // namespace cc::node
