// From what the state knows of identities to what requests are checked against.
#pragma once

#include <string>
#include <vector>

#include "identity/directory.h"
#include "state/state.h"

namespace cc::service {

// `before` is the directory that this one follows, if there is one. What is equal is shared with it, so that nobody
// compares it again.
identity::DirectoryPtr make_directory(state::Identity identity, std::string jwt_secret, bool anonymous_may_read,
                                      const identity::DirectoryPtr& before = nullptr);

identity::RevokedTokens make_revoked(const std::vector<state::RevokedToken>& tokens);

}  // namespace cc::service
