// Reading rows of environment, application and cluster.
#pragma once

#include "model/words.h"
#include "state/database.h"

namespace cc::state {

#define CC_ENVIRONMENT_COLUMNS "name, description, revision, created"
#define CC_APPLICATION_COLUMNS "name, department, owner, description, revision, created"
#define CC_CLUSTER_COLUMNS \
  "c.environment, c.application, c.name, c.description, c.revision, c.created"  // of `cluster AS c`

inline Environment read_environment(const Rows& rows) {
  return {.name = rows.text(0), .description = rows.text(1), .revision = rows.number(2), .created = rows.time(3)};
}

inline Application read_application(const Rows& rows) {
  return {.name = rows.text(0),
          .department = rows.text(1),
          .owner = rows.text(2),
          .description = rows.text(3),
          .revision = rows.number(4),
          .created = rows.time(5)};
}

inline Cluster read_cluster(const Rows& rows) {
  return {.environment = rows.text(0),
          .application = rows.text(1),
          .name = rows.text(2),
          .description = rows.text(3),
          .revision = rows.number(4),
          .created = rows.time(5)};
}

}  // namespace cc::state
