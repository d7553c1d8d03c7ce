// What the services of one I/O thread work with. One Context per I/O thread; its view and directory are that
// thread's own. The rest is shared and thread-safe.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "base/inbox.h"
#include "base/result.h"
#include "base/tally.h"
#include "base/task.h"
#include "consensus/log.h"
#include "identity/directory.h"
#include "identity/lockout.h"
#include "model/words.h"
#include "service/group.h"
#include "service/sessions.h"
#include "service/workers.h"
#include "state/queries.h"
#include "view/view.h"

namespace cc::log {
class Command;
class Outcome;
}  // namespace cc::log

namespace cc::archive {
class Archive;
}
namespace cc::edge {
class Edge;
}  // namespace cc::edge

namespace cc::service {

class AuditTrail;

// One call: who, from where, under which id, until when.
struct Call {
  identity::CallerPtr caller;
  std::string address;
  std::string request_id;  // idempotency: a mutating call repeated under this id by the same actor has one outcome
  Mono deadline{};
  SessionPtr session;  // what `caller` was found by; set for calls that may wait
};

struct Pending;  // what a coroutine has asked of the log and waits for

struct LogAnswer {
  std::shared_ptr<Pending> to;
  Result<std::string> answer;
};
void take(LogAnswer answer);

struct Context {
  asio::io_context& io;
  const Clock& clock;
  view::View& view;                  // of this I/O thread
  identity::DirectoryPtr directory;  // of this I/O thread; replaced by the node's messages
  consensus::Log& log;
  const state::Queries& queries;
  Workers& workers;
  identity::Lockout& lockout;
  AuditTrail& audit;
  archive::Archive* archive = nullptr;  // null: there is none
  Limits limits;
  std::string jwt_secret;
  std::chrono::milliseconds timeout{30'000};  // of one call, waiting by intent not counted
  std::chrono::milliseconds jwt_expiration{std::chrono::hours(24)};
  std::string node_version, cluster_id;
  bool leaving = false;   // the node will stop, and serves until then: a load balancer should look elsewhere
  bool stopping = false;  // set by stop_waiting()
  Sessions sessions{};
  // Of configs that were there, by environment; without what watchers were told.
  std::unique_ptr<Tally> reads = std::make_unique<Tally>();
  std::array<unsigned, kKindsOfWork> working{};  // handed to the workers and not done
  unsigned imports = 0;                          // that are unpacked and not committed
  std::unique_ptr<Inbox<LogAnswer>> answers = std::make_unique<Inbox<LogAnswer>>(io, take);
  std::unique_ptr<Group> group = group_of(log);
  const edge::Edge* edge = nullptr;  // of the node, when it has a Redis
};

// Replaces the directory, and wakes what waits in a session that has ended or may do other things now.
void replace_directory(Context& context, identity::DirectoryPtr directory);
// Ends the sessions of tokens that were revoked after the directory was made.
void revoke_tokens(Context& context, const identity::RevokedTokens& tokens);
// The node stops: what waits ends now, what would wait ends at once.
void stop_waiting(Context& context);

// `ask` asks the log for something, giving it that much patience and whom to answer; sleeps until it has answered, and
// comes back on this I/O thread. When it does not answer in time: unavailable while there is no leader, else timeout.
using AskLog = std::move_only_function<void(consensus::Log::Patience patience, consensus::Log::Answer answer)>;
Task<Result<std::string>> await_log(Context& context, Mono deadline, AskLog ask);

// Stamps time and actor, proposes through the log, and comes back on this I/O thread when every I/O thread of
// the node serves the outcome. A refusal of apply becomes its Error; an `unavailable` error says that the outcome
// is unknown and to repeat under the same request id.
Task<Result<log::Outcome>> propose(Context& context, const Call& call, log::Command command);

// Checks the permission and leaves an audit record when it is refused.
Result<> authorise(Context& context, const Call& call, Permission permission, std::string_view action,
                   std::string_view target, std::string_view environment = {}, std::string_view application = {});
Result<> authorise(Context& context, const Call& call, Permission permission, std::string_view action,
                   const ConfigKey& key);
// For lists, which show only what the caller may see: refused when that is nothing at all.
Result<> authorise_somewhere(Context& context, const Call& call, Permission permission, std::string_view action,
                             std::string_view environment = {}, std::string_view application = {});

}  // namespace cc::service
