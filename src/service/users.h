// Users and what they are granted. Seen by who may manage users anywhere; made, changed and deleted by who may
// everywhere; granted roles by who may manage users throughout the grant's scope.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "model/grants.h"
#include "service/context.h"
#include "service/done.h"
#include "state/queries.h"

namespace cc::service {

Result<state::Page<User>> list_users(Context& context, const Call& call, const state::PageRequest& page);
Result<User> read_user(Context& context, const Call& call, const std::string& name);  // also oneself

// What is absent stays as it is; a new user needs a password.
struct UserChange {
  std::string name;
  std::optional<std::string> display_name, password;
  std::optional<bool> disabled;
};
Task<Result<Done>> put_user(Context& context, const Call& call, UserChange change);
Task<Result<Done>> delete_user(Context& context, const Call& call, std::string name);
Task<Result<Done>> change_grant(Context& context, const Call& call, std::string user, Grant grant, bool revoke);

}  // namespace cc::service
