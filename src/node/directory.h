// From what the state knows of identities to what requests are checked against.
#pragma once

#include "identity/directory.h"
#include "node/settings.h"
#include "state/state.h"

namespace cc::node {

identity::DirectoryPtr make_directory(const state::Identity& identity, const Settings& settings);

}  // namespace cc::node
