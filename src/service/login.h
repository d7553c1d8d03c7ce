// Who one is: logging in and out, and one's password.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "service/context.h"
#include "service/done.h"

namespace cc::service {

struct Login {
  std::string token;
  Wall expires{};
  std::string user;
};

// unauthenticated, with the same message and after the same work, for a wrong password and for a user who is unknown
// or disabled; exhausted while the user or the address is locked, or when too many log in at once. Leaves an audit
// record; of a name that is no user's, the record does not tell the name, since people type passwords there.
Task<Result<Login>> log_in(Context& context, const Call& call, std::string user, std::string password);

// unauthenticated, with an audit record, for the anonymous caller: for what everyone else may.
Result<> require_login(Context& context, const Call& call, std::string_view action);

// The caller's token is refused from then on, on every node.
Task<Result<Done>> log_out(Context& context, const Call& call);

// Of oneself with the current password, or of anyone for who may manage users. Ends all tokens of the user. conflict
// when the current password is not the current one any more when the change is made.
Task<Result<Done>> set_password(Context& context, const Call& call, std::string user, std::string password,
                                std::optional<std::string> current);

}  // namespace cc::service
