#include "api/native/identity_json.h"

#include "base/text.h"

namespace cc::api::native {

json::array grants_json(const std::vector<Grant>& grants) {
  json::array out;
  for (const Grant& grant : grants) {
    out.push_back(json::object{{"role", to_string(grant.role)},
                               {"environment", grant.scope.environment},
                               {"application", grant.scope.application},
                               {"department", grant.scope.department}});
  }
  return out;
}

json::object user_json(const User& user) {
  return {{"name", user.name},
          {"display_name", user.display_name},
          {"disabled", user.disabled},
          {"grants", grants_json(user.grants)},
          {"created", format_time(user.created)}};
}

json::object key_json(const AccessKey& key) {
  json::object out{{"id", key.id},
                   {"application", key.application},
                   {"environment", key.environment},
                   {"description", key.description},
                   {"addresses", json::array(key.addresses.begin(), key.addresses.end())}};
  if (key.expires) out["expires_at"] = format_time(*key.expires);
  out["revoked"] = key.revoked;
  out["created_by"] = key.created_by;
  out["created"] = format_time(key.created);
  return out;
}

}  // namespace cc::api::native
