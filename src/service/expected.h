// What a writer has seen of what it changes.
#pragma once

#include "model/words.h"

namespace cc::service {

// A change that does not find it so is refused with conflict.
struct Expected {
  Expected(Revision revision_) : revision(revision_) {}
  static Expected anything() {
    Expected expected(0);
    expected.any = true;
    return expected;
  }

  Revision revision;  // 0: there is nothing
  bool any = false;   // whatever its revision is, there is something
};

}  // namespace cc::service
