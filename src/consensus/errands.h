// What only the leader can do: commit a command, vouch for a read, change the group. Done here when this node leads,
// else sent to who does; and done again when that one stops leading before it answers.
//
//   propose ──► Proposals ─┬─ leads: one batch for the group ──► Pipeline answers
//                          └─ else: a request each to the leader; its reply waits here until this node has delivered it
//
// Log thread only, but for barrier() and change().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "consensus/group.h"
#include "consensus/log.h"
#include "consensus/pipeline.h"
#include "consensus/proposals.h"
#include "consensus/request.h"

namespace cc::consensus {

class Errands {
 public:
  using Send = std::function<void(NodeId to, std::string bytes)>;
  Errands(Proposals& proposals, Pipeline& pipeline, Send send)
      : proposals_(proposals), pipeline_(pipeline), send_(std::move(send)) {}

  // Any thread; then wake the log thread.
  void barrier(Mono until, Log::Then then);
  void change(Change change, Mono until, Log::Then then);

  // In each turn, while the group is open: does and sends what can be; appends only what there is room for.
  void run(Group& group, bool may_append, Mono now);
  // Answers what has waited too long.
  void expire(Mono now);
  // This node no longer leads, or the group is closed; `commit` is what it knew to be committed then.
  void stopped_leading(const Error& why, Index commit);
  // Nothing can be done until the group is open again: answers everything that waits here.
  void give_up(const Error& why);

  void take(Group& group, NodeId from, const Request& request, Mono now);
  void take(Reply reply, Mono now);
  void ask_again(NodeId node);  // what was asked of it may be answered no more

 private:
  struct Barrier {
    Mono until;
    std::move_only_function<void(Result<Index>)> done;  // with what must be delivered first
    bool foreign = false;
  };
  struct Changing {
    Change change;
    Mono until;
    std::move_only_function<void(Result<Index>)> done;
    bool foreign = false;
    Index index = 0;               // once it is begun: where it is in the log; 1 for leadership
    NodeId led_by = 0;             // of leadership: who led when it was asked for
    std::optional<Error> why_not;  // it is not begun
  };
  struct Confirming {
    std::uint64_t round;
    Index index;
    Barrier barrier;
  };
  using Errand = std::variant<Proposal, std::vector<Barrier>, Changing>;

  std::move_only_function<void(Result<Index>)> when_delivered(Mono until, Log::Then then);
  void take_new();
  void lead(Group& group, bool may_append);
  void begin(Group& group, Changing& changing);
  void answer_changes(Group& group);
  static std::optional<Result<Index>> outcome_of(const Group& group, Changing& changing);
  void follow(NodeId leader, Mono now);
  void take_back();
  void ask(NodeId leader, Request request, Errand errand);
  Error not_in_time(const Changing& changing) const;
  Log::Patience patience(Mono until, Mono now) const;

  Proposals& proposals_;
  Pipeline& pipeline_;
  const Send send_;

  std::mutex mutex_;
  std::vector<Barrier> new_barriers_;  // guarded by mutex_
  std::vector<Changing> new_changes_;  // guarded by mutex_

  std::vector<Barrier> barriers_;          // not begun
  std::vector<Confirming> confirming_;     // while leading
  std::vector<Changing> changes_;          // index == 0: not begun
  std::map<std::uint64_t, Errand> asked_;  // of the leader
  NodeId asked_of_ = 0;
  std::uint64_t next_id_ = 1;
  Mono not_before_{};             // the leader cannot: it is not asked again at once
  std::optional<Error> why_not_;  // as it said last
};

}  // namespace cc::consensus
