// Access keys: for programs that read and watch one application. Managed by who may manage keys there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "model/grants.h"
#include "service/context.h"
#include "service/done.h"
#include "state/queries.h"

namespace cc::service {

// By id; shows those that the caller may manage.
Result<state::Page<AccessKey>> list_keys(Context& context, const Call& call, const state::PageRequest& page);

struct KeyRequest {
  std::string application, environment, description;  // environment "": all
  std::vector<std::string> addresses;                 // ranges; none: any
  std::optional<Wall> expires;
};
struct CreatedKey {
  AccessKey key;
  std::string text;  // the key itself; whoever repeats the request under its id gets it again, and nobody else
  bool repeated = false;
};
Task<Result<CreatedKey>> create_key(Context& context, const Call& call, KeyRequest request);

struct RevokedKey {
  AccessKey key;
  bool repeated = false;
};
Task<Result<RevokedKey>> revoke_key(Context& context, const Call& call, std::string id);

}  // namespace cc::service
