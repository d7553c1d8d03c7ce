// What a request is about.
#pragma once

#include <cstdint>
#include <string>

#include "proto/command.pb.h"

namespace cc::state {

// Names what the command is to change, for its audit record.
std::string target_of(const log::Command& command);

// 64 bits of a hash of everything that the client sent: the same when the request is repeated, another when something
// else is asked for under its id. Nothing counts that the proposing node stamps or infers, since that may differ when a
// request is repeated: times, hashes of passwords, ids of keys, a format that was not given. Stands in the state: equal
// on all nodes and in all versions.
std::uint64_t fingerprint_of(const log::Command& command);

}  // namespace cc::state
