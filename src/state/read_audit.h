// Reading rows of audit and attempt.
#pragma once

#include "model/words.h"
#include "state/database.h"

namespace cc::state {

#define CC_AUDIT_COLUMNS \
  "id, time, actor, address, request_id, action, target, outcome, message, before, after, revision, 1"
#define CC_ATTEMPT_COLUMNS "id, time, actor, address, request_id, action, target, outcome, message, '', '', 0, count"

inline AuditRecord read_audit(const Rows& rows) {
  return {.id = rows.number(0),
          .time = rows.time(1),
          .actor = rows.text(2),
          .address = rows.text(3),
          .request_id = rows.text(4),
          .action = rows.text(5),
          .target = rows.text(6),
          .outcome = rows.text(7),
          .message = rows.text(8),
          .before = rows.text(9),
          .after = rows.text(10),
          .revision = rows.number(11),
          .count = rows.number(12)};
}

}  // namespace cc::state
