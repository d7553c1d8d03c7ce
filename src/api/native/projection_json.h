// How a projection is, as JSON: the same for the archive and the edge copy.
#pragma once

#include <boost/json/object.hpp>

#include "model/projection.h"

namespace cc::api::native {

boost::json::object projection_json(const ProjectionStatus& status);

}  // namespace cc::api::native
