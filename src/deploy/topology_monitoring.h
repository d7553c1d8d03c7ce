// The section `monitoring` of a topology. Inside src/deploy.
#pragma once

#include "deploy/fields.h"
#include "deploy/topology.h"

namespace cc::deploy {

void read_monitoring(Fields& fields, Monitoring& monitoring);

}  // namespace cc::deploy
