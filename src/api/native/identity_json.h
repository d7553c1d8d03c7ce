// Users, grants and keys as docs/api.md has them; no hashes.
#pragma once

#include <vector>

#include <boost/json.hpp>

#include "model/grants.h"

namespace cc::api::native {

namespace json = boost::json;

json::array grants_json(const std::vector<Grant>& grants);
json::object user_json(const User& user);
json::object key_json(const AccessKey& key);

}  // namespace cc::api::native
