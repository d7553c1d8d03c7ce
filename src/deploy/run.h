// Carrying out stages of steps: seeing what is so already, doing what is not, and undoing it when something fails.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "deploy/connection.h"
#include "deploy/step.h"
#include "deploy/topology.h"

namespace cc::deploy {

struct Outcome {
  enum class State {
    as_it_is,  // nothing to do
    to_do,     // in a plan
    by_hand,   // to do, and somebody else's change would be lost
    begun,     // told while it runs, in no result
    done,
    failed,
    undone,
    not_undone,  // that failed too
  };
  std::string stage, host, step;
  State state = State::as_it_is;
  std::string message;  // what would change, or why it failed
  std::chrono::milliseconds took{};
};
std::string_view to_string(Outcome::State state) noexcept;

// Of each host. Made once, used by one thread for each host.
using Connect = std::function<std::unique_ptr<Connection>(const Host& host)>;

struct Hosts {
  const Topology& topology;
  Connect connect;
  const Clock& clock;
  std::size_t at_once = 8;
};

// Told as it happens, from several threads, one call at a time.
using Tell = std::function<void(const Outcome&)>;

// What carry_out() would do; changes nothing. The error of the first host that cannot be reached.
Result<std::vector<Outcome>> plan(const Hosts& hosts, const Stages& stages);

struct CarriedOut {
  std::vector<Outcome> outcomes;  // in the order in which they were told, without what was as it is
  bool good = true;               // all is as it should be
};
// Stops at the first stage in which a step fails, when the other hosts have ended the steps that they were at. Then,
// when `undo`, undoes all steps of this run, the last one of each host first: stage by stage, hosts as they were done,
// in parallel or one after the other. conflict, before anything is changed, when there is a change by hand; `stop` is
// asked between steps, and is as a failure.
Result<CarriedOut> carry_out(const Hosts& hosts, const Stages& stages, bool undo, const std::function<bool()>& stop,
                             const Tell& tell);

}  // namespace cc::deploy
