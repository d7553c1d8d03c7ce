// What happens once in the life of a cluster: its id, its first environments, its administrator.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "consensus/log.h"

namespace cc::node {

struct FirstStart {
  consensus::Log& log;
  Path data_dir;
  const Clock& clock;
  const char* given_password;               // CONFIG_CENTER_ADMIN_PASSWORD or null
  std::function<std::string()> cluster_id;  // of what is delivered here, or ""; any thread
};
// For the leader: makes the cluster when there is none, and waits for it, or until it is asked to stop. Without a given
// password a random one is made and kept in data_dir/admin-password, mode 0600, to be shown once. Several nodes may
// try, one leader after the other, and the command of one of them is the first: the others' passwords are forgotten.
Result<> create_cluster(const FirstStart& start, const std::stop_token& stop);

// There is this cluster now: forgets a password that was kept for another that came to nothing.
void forget_other_password(const Path& data_dir, std::string_view cluster_id);

// The password that was made and that nobody has seen yet.
std::optional<std::string> password_to_show(const Path& data_dir);
void password_was_shown(const Path& data_dir);

}  // namespace cc::node
