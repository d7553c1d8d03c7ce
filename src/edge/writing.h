// What one release is in Redis: two keys and a message.
#pragma once

#include "edge/keys.h"
#include "edge/redis.h"
#include "model/words.h"

namespace cc::edge {

// Puts content and metadata in place of what is there; takes both away when it is a tombstone.
void add_release(Redis& redis, const Keys& keys, const Release& release);
// {"key", "revision", "version", "deleted"} on the channel.
void add_message(Redis& redis, const Keys& keys, const Release& release);
// The message of no key: whatever a subscriber has may have changed unseen.
void add_message_of_everything(Redis& redis, const Keys& keys, Revision revision);

}  // namespace cc::edge
