// What a commit changed, for everything downstream (views, watchers, projections), in order of revision.
#pragma once

#include <vector>

#include "model/words.h"

namespace cc {

// Every event of the product that a watcher can see is a config's new release or its tombstone.
struct Event {
  Revision revision = 0;
  ReleasePtr release;  // release->deleted tells which
};

}  // namespace cc
