// What happens once in the life of a cluster: its id, its first environments, its administrator.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "consensus/log.h"

namespace cc::node {

// Proposes InitializeCluster and waits for it. `given` is CONFIG_CENTER_ADMIN_PASSWORD or null; without it a random
// password is made and kept in data_dir/admin-password, mode 0600, to be shown once.
Result<> create_cluster(consensus::Log& log, const Path& data_dir, const Clock& clock, const char* given);

// The password that was made and that nobody has seen yet.
std::optional<std::string> password_to_show(const Path& data_dir);
void password_was_shown(const Path& data_dir);

}  // namespace cc::node
