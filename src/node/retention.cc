#include "node/retention.h"

#include "base/log.h"
#include "base/pause.h"
#include "node/log_answer.h"
#include "proto/command.pb.h"

namespace cc::node {
namespace {

const Logger kLog{"node"};

constexpr std::size_t kAtOnce = 1000;  // applying it holds up the log thread
constexpr std::chrono::seconds kPatience{10};

// Whether there is more to forget.
Result<bool> forget_some(const Retention& retention, const std::stop_token& stop) {
  TRY(const auto old,
      retention.queries.forgettable(retention.releases, retention.clock.wall() - retention.audit, kAtOnce));
  state::Archived archived{.used = retention.archive != nullptr};
  if (archived.used) {
    // While it does not answer nothing more is forgotten than before.
    const auto at = retention.archive->position();
    archived.release = at ? at->release : old.archived.release;
    archived.audit = at ? at->audit : old.archived.audit;
  }
  const bool nothing = old.releases.empty() && old.audit_until == 0;
  if (nothing && archived == old.archived) return false;

  log::Command command;
  command.set_time_ms(retention.clock.wall().time_since_epoch().count());
  command.set_actor("system");
  log::ForgetHistory& what = *command.mutable_forget_history();
  what.set_archive_used(archived.used);
  what.set_archived_release(archived.release);
  what.set_archived_audit(archived.audit);
  for (const std::uint64_t id : old.releases)
    what.add_releases(id);
  what.set_audit_until(old.audit_until);
  LogAnswer<std::string> answer;
  retention.log.propose(command.SerializeAsString(), kPatience, answer.taker());
  TRYV(answer.get(stop));
  return !nothing;
}

}  // namespace

void forget_history(const Retention& retention, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto more = forget_some(retention, stop);
    if (!more && !stop.stop_requested())
      kLog.warn("history is not shortened; it is tried again", {{"reason", more.error()}});
    pause_for(more && *more ? std::chrono::milliseconds(100) : retention.every, stop);
  }
}

}  // namespace cc::node
