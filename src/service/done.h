// What a change that publishes nothing answers.
#pragma once

#include "model/words.h"

namespace cc::service {

struct Done {
  Revision revision = 0;  // of the commit; of the newest one when nothing changed
  bool created = false;
  bool repeated = false;  // the outcome of an earlier request with this id
};

}  // namespace cc::service
