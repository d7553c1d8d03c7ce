// A user's grants as people read them.
#pragma once

#include <string>

#include <boost/json/value.hpp>

namespace cc::cli {

// "publisher in environment prod, application shop; viewer everywhere", of the member `grants`.
std::string grants_text(const boost::json::value& user);

}  // namespace cc::cli
