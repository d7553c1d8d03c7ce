// The logger of this folder.
#pragma once

#include "base/log.h"

namespace cc::consensus {

inline const Logger log{"consensus"};

}  // namespace cc::consensus
