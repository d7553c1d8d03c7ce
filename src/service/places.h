// Environments, applications and clusters. Seen by who may read anything in them; changed by who may manage them.
// In changes, what is absent stays as it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "model/words.h"
#include "service/context.h"
#include "service/done.h"
#include "state/queries.h"

namespace cc::service {

template <class T>
struct Put {
  T item;
  bool created = false, repeated = false;
};

Task<Result<state::Page<Environment>>> list_environments(Context& context, const Call& call, state::PageRequest page);
Task<Result<Environment>> read_environment(Context& context, const Call& call, std::string name);
struct EnvironmentChange {
  std::string name;
  std::optional<std::string> description;
};
Task<Result<Put<Environment>>> put_environment(Context& context, const Call& call, EnvironmentChange change);
Task<Result<Done>> delete_environment(Context& context, const Call& call, std::string name);  // conflict: not empty

// A page may be shorter than its limit, since what the caller may not see is left out of it.
Task<Result<state::Page<Application>>> list_applications(Context& context, const Call& call, state::PageRequest page);
Task<Result<Application>> read_application(Context& context, const Call& call, std::string name);
struct ApplicationChange {
  std::string name;
  std::optional<std::string> department, owner, description;
};
Task<Result<Put<Application>>> put_application(Context& context, const Call& call, ApplicationChange change);
Task<Result<Done>> delete_application(Context& context, const Call& call, std::string name);

struct ClusterName {
  std::string environment, application, name;
};
// Empty environment or application: any.
Task<Result<state::Page<Cluster>>> list_clusters(Context& context, const Call& call, std::string environment,
                                                 std::string application, state::PageRequest page);
Task<Result<Put<Cluster>>> put_cluster(Context& context, const Call& call, ClusterName cluster,
                                       std::optional<std::string> description);
Task<Result<Done>> delete_cluster(Context& context, const Call& call, ClusterName cluster);

}  // namespace cc::service
