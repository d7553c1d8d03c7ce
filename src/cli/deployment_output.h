// What commands tell machines of steps on hosts, and of operations that were recorded.
#pragma once

#include <boost/json/object.hpp>

#include "deploy/record.h"
#include "deploy/run.h"

namespace cc::cli {

boost::json::object json_of(const deploy::Outcome& outcome);
// Without its steps, but how many.
boost::json::object json_of(const deploy::Record& record);

}  // namespace cc::cli
