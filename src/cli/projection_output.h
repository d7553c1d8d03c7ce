// How a projection is, for people: the same for the archive and the edge copy.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace cc::cli {

// `status` is what GET /v1/archive or GET /v1/edge answers.
std::string projection_text(const boost::json::value& status);

}  // namespace cc::cli
