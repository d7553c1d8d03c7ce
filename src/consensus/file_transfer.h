// A file on its way from one node to another, on a connection of its own. The disk, and sealing, are left to workers:
// messages do not wait for them.
#pragma once

#include <string>
#include <string_view>

#include <boost/asio/thread_pool.hpp>

#include "base/file.h"
#include "base/task.h"
#include "consensus/secure_channel.h"

namespace cc::consensus {

// Only such files are offered: up to 20 digits.
bool is_offered_name(std::string_view name);

// Sends the file of `folder` that the other side asks for, or says why not.
Task<Result<>> offer_file(SecureChannel& channel, const Path& folder, asio::thread_pool& workers);

// requires: is_offered_name(name)
Task<Result<>> fetch_file(SecureChannel& channel, std::string_view name, const Path& into, asio::thread_pool& workers);

}  // namespace cc::consensus
