#include "consensus/errands.h"

#include <algorithm>

#include "consensus/frame.h"
#include "consensus/take_if.h"

namespace cc::consensus {
namespace {

constexpr auto kPause = std::chrono::milliseconds(20);
constexpr std::size_t kMostAsked = 8192;     // commands on their way to the leader
constexpr std::size_t kMostInFlight = 4096;  // commands in the log, not committed

Error no_leader() {
  return {Code::unavailable, "the group has no leader that this node can reach: try again, or ask another node"};
}

bool is_of_leadership(const Change& change) {
  return change.kind == Change::Kind::transfer || change.kind == Change::Kind::step_down;
}

// Not `unavailable`, which says that nothing was done: it would be asked for again.
Error unknown_change() {
  return {Code::timeout,
          "the leader changed meanwhile: the change may or may not be made; look at the status of the cluster"};
}

}  // namespace

void Errands::barrier(Mono until, Log::Then then) {
  const std::lock_guard lock(mutex_);
  new_barriers_.push_back({.until = until, .done = when_delivered(until, std::move(then))});
}

void Errands::change(Change change, Mono until, Log::Then then) {
  const std::lock_guard lock(mutex_);
  new_changes_.push_back({.change = std::move(change), .until = until, .done = when_delivered(until, std::move(then))});
}

// Who asks this node then finds it there.
std::move_only_function<void(Result<Index>)> Errands::when_delivered(Mono until, Log::Then then) {
  return [this, until, then = std::move(then)](Result<Index> index) mutable {
    if (!index) return then(std::unexpected(std::move(index).error()));
    pipeline_.when_delivered(*index, until, std::move(then));
  };
}

// --- each turn ---

void Errands::take_new() {
  const std::lock_guard lock(mutex_);
  std::ranges::move(std::exchange(new_barriers_, {}), std::back_inserter(barriers_));
  std::ranges::move(std::exchange(new_changes_, {}), std::back_inserter(changes_));
}

void Errands::run(Group& group, bool may_append, Mono now) {
  take_new();
  if (group.leader() != asked_of_) {
    take_back();
    asked_of_ = group.leader();
    not_before_ = {};
    why_not_.reset();
  }
  answer_changes(group);
  if (group.role() == Role::leader) return lead(group, may_append);
  if (group.leader() != 0 && now >= not_before_) follow(group.leader(), now);
}

void Errands::lead(Group& group, bool may_append) {
  if (!barriers_.empty()) {
    const std::uint64_t round = group.begin_round();
    for (Barrier& each : std::exchange(barriers_, {}))
      confirming_.push_back({round, group.read_index(), std::move(each)});
  }
  for (Changing& each : std::exchange(changes_, {})) {
    if (each.index == 0) begin(group, each);
    if (each.done) changes_.push_back(std::move(each));
  }
  const std::uint64_t confirmed = group.confirmed();
  for (Confirming& each : take_if(confirming_, [&](const Confirming& one) { return one.round <= confirmed; }))
    each.barrier.done(each.index);

  if (!may_append || !group.takes_proposals() || proposals_.empty() || pipeline_.in_flight() >= kMostInFlight) return;
  std::vector<Proposal> batch = proposals_.take();
  const Index first = group.append(batch);
  pipeline_.sent(std::move(batch), first);
}

void Errands::begin(Group& group, Changing& changing) {
  const auto hand_over = [&]() -> Result<Index> {
    TRYV(group.transfer(changing.change.node));
    changing.led_by = group.leader();
    return 1;
  };
  auto begun = is_of_leadership(changing.change) ? hand_over() : group.change(changing.change);
  if (begun) {
    changing.index = *begun;
  } else if (begun.error().code == Code::unavailable) {  // it may be possible soon
    changing.why_not = std::move(begun).error();
  } else {
    std::exchange(changing.done, {})(std::unexpected(std::move(begun).error()));
  }
}

void Errands::answer_changes(Group& group) {
  for (Changing& each : std::exchange(changes_, {})) {
    if (auto outcome = outcome_of(group, each)) {
      each.done(*std::move(outcome));
    } else {
      changes_.push_back(std::move(each));
    }
  }
}

// Of who is in the group: done when it is applied. Of leadership: when another node leads than before, or the one that
// is meant. That is seen here, whoever made it. None: not yet.
std::optional<Result<Index>> Errands::outcome_of(const Group& group, Changing& changing) {
  const bool leads = group.role() == Role::leader;
  if (!is_of_leadership(changing.change)) {
    if (changing.index == 0 || !leads || group.applied() < changing.index) return std::nullopt;
    return changing.index;
  }
  if (changing.change.kind == Change::Kind::step_down && !leads) return 1;
  const NodeId leader = group.leader();
  if (leader == 0) return std::nullopt;
  const bool other_than_before = leader != changing.led_by;
  const NodeId to = changing.change.node;
  if (to != 0 ? leader == to : changing.led_by != 0 && other_than_before) return 1;
  if (other_than_before) changing.index = 0;  // a third one leads now: it is asked
  if (leads && changing.index != 0 && !group.transferring())
    return fail(Code::timeout, "the other node did not take over in time; this one still leads: try again");
  return std::nullopt;
}

void Errands::follow(NodeId leader, Mono now) {
  // Others' are for who leads, and were told so.
  proposals_.give_up_waiting(no_leader(), [](const Proposal& each) { return each.foreign; });
  while (asked_.size() < kMostAsked && !proposals_.empty()) {
    for (Proposal& proposal : proposals_.take()) {
      const Entry entry = proposal.entry;
      const auto command = unframe(entry.bytes);
      const Request request{
          .kind = Request::Kind::propose, .patience = patience(proposal.until, now), .command = *command};
      ask(leader, request, std::move(proposal));
    }
  }
  if (!barriers_.empty()) {
    Mono until = now;
    for (const Barrier& each : barriers_)
      until = std::max(until, each.until);
    ask(leader, {.kind = Request::Kind::barrier, .patience = patience(until, now)}, std::exchange(barriers_, {}));
  }
  for (Changing& each : std::exchange(changes_, {})) {
    if (each.index != 0) {
      changes_.push_back(std::move(each));
      continue;
    }
    each.led_by = leader;
    const Request request{
        .kind = Request::Kind::change, .patience = patience(each.until, now), .change_to = each.change};
    ask(leader, request, std::move(each));
  }
}

void Errands::ask(NodeId leader, Request request, Errand errand) {
  request.id = next_id_++;
  asked_.emplace(request.id, std::move(errand));
  send_(leader, encode(request));
}

Log::Patience Errands::patience(Mono until, Mono now) const {
  return std::clamp(std::chrono::ceil<Log::Patience>(until - now), Log::Patience(1),
                    Log::Patience(std::chrono::hours(1)));
}

// --- the other node's side ---

void Errands::take(Group& group, NodeId from, const Request& request, Mono now) {
  const auto reply = [send = send_, from, id = request.id](Result<std::string> outcome, Index index) {
    send(from, encode(Reply{.id = id, .outcome = std::move(outcome), .index = index}));
  };
  if (group.role() != Role::leader) return reply(std::unexpected(no_leader()), 0);
  const auto done = [reply](Result<Index> index) {
    if (!index) return reply(std::unexpected(std::move(index).error()), 0);
    reply(std::string(), *index);
  };
  const Mono until = now + request.patience;
  switch (request.kind) {
    case Request::Kind::propose:
      proposals_.add(request.command, until, true, reply);
      break;
    case Request::Kind::barrier:
      barriers_.push_back({.until = until, .done = done, .foreign = true});
      break;
    case Request::Kind::change:
      changes_.push_back({.change = request.change_to, .until = until, .done = done, .foreign = true});
      break;
  }
}

void Errands::take(Reply reply, Mono now) {
  const auto found = asked_.find(reply.id);
  if (found == asked_.end()) return;  // too late, or asked again meanwhile
  Errand errand = std::move(found->second);
  asked_.erase(found);
  const bool again = !reply.outcome && reply.outcome.error().code == Code::unavailable;
  if (again) {
    not_before_ = now + kPause;
    why_not_ = reply.outcome.error();
  }
  if (auto* proposal = std::get_if<Proposal>(&errand)) {
    if (again) {
      std::vector<Proposal> one;
      one.push_back(std::move(*proposal));
      return proposals_.put_back(std::move(one));
    }
    proposals_.done(1, proposal->bytes);
    if (!reply.outcome) {
      proposals_.failed(1);
      return proposal->answer(std::move(reply.outcome), 0);
    }
    // Answered when this node has it, too: who asks it next sees it.
    pipeline_.when_delivered(reply.index, proposal->until,
                             [answer = std::move(proposal->answer), outcome = std::move(reply.outcome),
                              index = reply.index](Result<> delivered) mutable {
                               if (!delivered) outcome = std::unexpected(std::move(delivered).error());
                               answer(std::move(outcome), index);
                             });
    return;
  }
  if (auto* barriers = std::get_if<std::vector<Barrier>>(&errand)) {
    for (Barrier& each : *barriers) {
      if (again) {
        barriers_.push_back(std::move(each));
      } else if (reply.outcome) {
        each.done(reply.index);
      } else {
        each.done(std::unexpected(reply.outcome.error()));
      }
    }
    return;
  }
  auto& changing = std::get<Changing>(errand);
  if (again) {
    changes_.push_back(std::move(changing));
  } else if (!reply.outcome) {
    changing.done(std::unexpected(std::move(reply.outcome).error()));
  } else if (is_of_leadership(changing.change)) {
    changing.index = 1;  // done when this node knows it
    changes_.push_back(std::move(changing));
  } else {
    changing.done(reply.index);
  }
}

// --- what ends ---

void Errands::ask_again(NodeId node) {
  if (node == asked_of_) take_back();
}

// Who was asked may not answer any more. What can be done twice is.
void Errands::take_back() {
  std::vector<Proposal> proposals;
  for (auto& [id, errand] : std::exchange(asked_, {})) {
    if (auto* proposal = std::get_if<Proposal>(&errand)) {
      proposals.push_back(std::move(*proposal));
    } else if (auto* barriers = std::get_if<std::vector<Barrier>>(&errand)) {
      std::ranges::move(*barriers, std::back_inserter(barriers_));
    } else if (auto& changing = std::get<Changing>(errand); is_of_leadership(changing.change)) {
      changes_.push_back(std::move(changing));
    } else {
      changing.done(std::unexpected(unknown_change()));
    }
  }
  proposals_.put_back(std::move(proposals));
}

void Errands::stopped_leading(const Error& why, Index commit) {
  proposals_.put_back(pipeline_.take_back(why));
  proposals_.give_up_waiting(why, [](const Proposal& each) { return each.foreign; });
  for (Confirming& each : std::exchange(confirming_, {}))
    barriers_.push_back(std::move(each.barrier));
  for (Barrier& each : std::exchange(barriers_, {})) {
    if (each.foreign) {
      each.done(std::unexpected(why));
    } else {
      barriers_.push_back(std::move(each));
    }
  }
  for (Changing& each : std::exchange(changes_, {})) {
    if (each.index == 0 && each.foreign) {
      each.done(std::unexpected(no_leader()));
    } else if (each.index == 0 || is_of_leadership(each.change)) {
      changes_.push_back(std::move(each));
    } else if (each.index <= commit) {
      each.done(each.index);
    } else {
      each.done(std::unexpected(unknown_change()));
    }
  }
}

void Errands::give_up(const Error& why) {
  stopped_leading(why, 0);
  take_back();
  take_new();
  for (Barrier& each : std::exchange(barriers_, {}))
    each.done(std::unexpected(why));
  for (Changing& each : std::exchange(changes_, {}))
    each.done(std::unexpected(why));
}

Error Errands::not_in_time(const Changing& changing) const {
  if (changing.index != 0) {
    return {Code::timeout, is_of_leadership(changing.change)
                               ? "no other node is known to lead yet: look at the status of the cluster"
                               : "the change is in the log and not committed yet: look at the status of the cluster"};
  }
  const Error why = changing.why_not.value_or(why_not_.value_or(no_leader()));
  return {Code::timeout, "the change was not begun in time: " + why.message};
}

void Errands::expire(Mono now) {
  take_new();
  const Error why = why_not_.value_or(no_leader());
  proposals_.give_up_waiting(why, [now](const Proposal& each) { return each.until <= now; });
  std::vector<Proposal> proposals;
  const auto is_late = [now](const auto& each) { return each.until <= now; };
  std::vector<Changing> changes = take_if(changes_, is_late);
  std::vector<Barrier> barriers = take_if(barriers_, is_late);
  for (Confirming& each : take_if(confirming_, [&](const Confirming& one) { return is_late(one.barrier); }))
    barriers.push_back(std::move(each.barrier));
  for (auto at = asked_.begin(); at != asked_.end();) {
    bool ended = true;
    if (auto* proposal = std::get_if<Proposal>(&at->second)) {
      ended = is_late(*proposal);
      if (ended) proposals.push_back(std::move(*proposal));
    } else if (auto* waiting = std::get_if<std::vector<Barrier>>(&at->second)) {
      std::ranges::move(take_if(*waiting, is_late), std::back_inserter(barriers));
      ended = waiting->empty();
    } else {
      auto& changing = std::get<Changing>(at->second);
      ended = is_late(changing);
      if (ended) changes.push_back(std::move(changing));
    }
    at = ended ? asked_.erase(at) : std::next(at);
  }
  proposals_.give_up(std::move(proposals), why);
  for (Barrier& each : barriers)
    each.done(std::unexpected(why));
  for (Changing& each : changes)
    each.done(std::unexpected(not_in_time(each)));
}

}  // namespace cc::consensus
