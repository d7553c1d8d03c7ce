#include "service/membership.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/host_port.h"
#include "model/quote.h"
#include "service/audit_trail.h"

namespace cc::service {
namespace {

using consensus::Change;
using consensus::Membership;
using Kind = Change::Kind;

std::string_view action_of(Kind kind) {
  switch (kind) {
    case Kind::add:
    case Kind::add_observer:
      return "node.add";
    case Kind::promote:
      return "node.promote";
    case Kind::demote:
      return "node.demote";
    case Kind::remove:
      return "node.remove";
    case Kind::transfer:
      return "node.transfer";
    case Kind::readdress:
    case Kind::step_down:
      break;  // nodes do this by themselves
  }
  std::unreachable();
}

std::string target_of(const Change& change) {
  if (change.kind == Kind::transfer && change.node == 0) return "any node";
  return change.address.empty() ? fmt::format("node {}", change.node)
                                : fmt::format("node {} at {}", change.node, change.address);
}

Result<> check(const Change& change) {
  if (change.node == 0 && change.kind != Kind::transfer) {
    return fail(Code::invalid_argument, "a node is 1 or more: its raft.node_id");
  }
  if (change.kind != Kind::add && change.kind != Kind::add_observer) return {};
  if (const auto address = parse_host_and_port(change.address); address && address->port != 0) return {};
  return fail(Code::invalid_argument,
              fmt::format("the address {} is not host:port: give the node's raft.address, under which the other nodes "
                          "reach it",
                          cc::quoted(change.address)));
}

// Whether a refused change asked for what is there.
bool is_so(const consensus::Status& status, const Change& change) {
  if (change.kind == Kind::transfer) return change.node != 0 && status.leader_id == change.node;
  const auto member = std::ranges::find(status.servers, change.node, &consensus::Status::Server::id);
  if (member == status.servers.end()) return false;
  switch (change.kind) {
    case Kind::add:
      return member->address == change.address && member->membership != Membership::observer;
    case Kind::add_observer:
      return member->address == change.address && member->membership == Membership::observer;
    case Kind::promote:
      return member->membership == Membership::voter;
    case Kind::demote:
      return member->membership == Membership::observer;
    default:
      return false;
  }
}

Task<Result<>> ask_group(Context& context, const Call& call, const Change& change) {
  auto done = co_await await_log(context, call.deadline, [&](auto patience, consensus::Log::Answer answer) {
    context.group->change(change, patience, [answer = std::move(answer)](Result<> how) mutable {
      how ? answer(std::string()) : answer(fail(std::move(how).error()));
    });
  });
  if (done) co_return Result<>{};
  Error error = std::move(done).error();
  if (error.code == Code::unavailable || error.code == Code::timeout) {
    error.message +=
        "; it may go on and be done all the same: look with GET /v1/cluster, or config-center cluster "
        "status, and ask again when it was not";
  } else if (is_so(context.group->status(), change)) {
    co_return Result<>{};
  }
  co_return fail(std::move(error));
}

}  // namespace

Task<Result<>> change_group(Context& context, const Call& call, Change change) {
  const std::string_view action = action_of(change.kind);
  const std::string target = target_of(change);
  CO_TRYV(authorise(context, call, Permission::operate, action, target));
  CO_TRYV(check(change));
  auto done = co_await ask_group(context, call, change);
  context.audit.record({.time = context.clock.wall(),
                        .actor = call.caller->name,
                        .address = call.address,
                        .request_id = call.request_id,
                        .action = std::string(action),
                        .target = target,
                        .outcome = std::string(done ? "done" : to_string(done.error().code)),
                        .message = done ? std::string() : done.error().message});
  co_return done;
}

}  // namespace cc::service
