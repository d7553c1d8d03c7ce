#include "service/context.h"

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <fmt/format.h>

#include "proto/command.pb.h"
#include "service/audit_trail.h"

namespace cc::service {

// Shared between the coroutine that waits and the answer of the log, either of which may be gone first. Touched on
// the I/O thread only; the log's thread does nothing but pass it on.
struct Pending {
  Pending(asio::io_context& io, Mono::duration patience) : timer(io, patience) {}
  asio::steady_timer timer;
  std::optional<Result<std::string>> answer;
};

namespace {

// The log gives up by itself and knows why; who asked it does so a little later, and only when it hangs.
constexpr std::chrono::milliseconds kGrace{500};

Error outcome_unknown(Code code, std::string_view why, std::string_view request_id) {
  return {code,
          fmt::format("{}; whether the change was made is not known: repeat the request under the same request id, {}",
                      why, request_id)};
}

Result<log::Outcome> outcome_of(Result<std::string> answer, std::string_view request_id) {
  if (!answer) {
    Error error = std::move(answer).error();
    if (error.code != Code::unavailable && error.code != Code::timeout) return fail(std::move(error));
    Error unknown = outcome_unknown(error.code, error.message, request_id);
    unknown.details = std::move(error.details);
    return fail(std::move(unknown));
  }
  log::Outcome outcome;
  if (!outcome.ParseFromString(*answer)) {
    return fail(Code::corruption, "the log answered what is not an outcome: are all nodes of the same version?");
  }
  if (outcome.code() != 0) {
    return fail(static_cast<Code>(outcome.code() - 1), outcome.message(), outcome.details());
  }
  return outcome;
}

}  // namespace

void replace_directory(Context& context, identity::DirectoryPtr directory) {
  context.directory = std::move(directory);
  context.sessions.refresh(context.directory, context.clock.wall());
}

void revoke_tokens(Context& context, const identity::RevokedTokens& tokens) {
  context.sessions.revoke(tokens, context.clock.wall());
}

void stop_waiting(Context& context) {
  context.stopping = true;
  context.sessions.wake_all();
}

void take(LogAnswer answer) {
  answer.to->answer = std::move(answer.answer);
  answer.to->timer.cancel();
}

Task<Result<std::string>> await_log(Context& context, Mono deadline, AskLog ask) {
  const Mono::duration patience = std::max(deadline - context.clock.now(), Mono::duration::zero());
  const auto pending = std::make_shared<Pending>(context.io, patience + kGrace);
  ask(std::chrono::ceil<consensus::Log::Patience>(patience),
      [&inbox = *context.answers, to = pending](Result<std::string> answer) mutable {
        inbox.put({.to = std::move(to), .answer = std::move(answer)});
      });
  const auto [ended] = co_await pending->timer.async_wait(asio::as_tuple(asio::deferred));
  if (pending->answer) co_return *std::move(pending->answer);
  if (ended) co_return fail(Code::unavailable, "the request was broken off");
  if (!takes_changes(context.group->status())) {
    co_return fail(Code::unavailable, "no leader was there within the time limit of the request");
  }
  co_return fail(Code::timeout, "the log did not answer within the time limit of the request");
}

Task<Result<log::Outcome>> propose(Context& context, const Call& call, log::Command command) {
  const Mono now = context.clock.now();
  if (now >= call.deadline) {
    co_return fail(Code::timeout,
                   "the time limit of the request passed before anything was done; nothing was changed: try again");
  }
  command.set_request_id(call.request_id);
  command.set_actor(call.caller->name);
  command.set_address(call.address);
  command.set_time_ms(context.clock.wall().time_since_epoch().count());

  std::string bytes = command.SerializeAsString();
  command.Clear();
  co_return outcome_of(co_await await_log(context, call.deadline,
                                          [&](auto patience, consensus::Log::Answer answer) {
                                            context.log.propose(std::move(bytes), patience, std::move(answer));
                                          }),
                       call.request_id);
}

Result<> authorise(Context& context, const Call& call, Permission permission, std::string_view action,
                   std::string_view target, std::string_view environment, std::string_view application) {
  auto allowed = call.caller->require(permission, environment, application);
  if (allowed) return allowed;
  context.audit.record({.time = context.clock.wall(),
                        .actor = call.caller->name,
                        .address = call.address,
                        .request_id = call.request_id,
                        .action = std::string(action),
                        .target = std::string(target),
                        .outcome = std::string(to_string(allowed.error().code)),
                        .message = allowed.error().message});
  return allowed;
}

Result<> authorise(Context& context, const Call& call, Permission permission, std::string_view action,
                   const ConfigKey& key) {
  if (call.caller->may(permission, key.environment, key.application)) return {};
  return authorise(context, call, permission, action, key.to_string(), key.environment, key.application);
}

Result<> authorise_somewhere(Context& context, const Call& call, Permission permission, std::string_view action,
                             std::string_view environment, std::string_view application) {
  if (call.caller->may_somewhere(permission, environment, application)) return {};
  return authorise(context, call, permission, action, environment, environment, application);
}

}  // namespace cc::service
