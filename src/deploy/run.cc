#include "deploy/run.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "deploy/in_parallel.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using State = Outcome::State;

constexpr auto kPatienceWithChecks = 60s;

struct Planned {
  const Stage* stage;
  const Step* step;
};

Outcome outcome_of(const Planned& planned, State state, std::string message = {}, milliseconds took = {}) {
  return {.stage = planned.stage->name,
          .host = planned.step->host,
          .step = planned.step->name,
          .state = state,
          .message = std::move(message),
          .took = took};
}

// The checks of several steps as one script; a line before the words of each, and one after them with its status.
std::string checks_script(const std::vector<Planned>& steps, const std::string& mark) {
  std::string script;
  for (const Planned& each : steps) {
    script += fmt::format("status=0\n(set +e\n{}\n) 2>&1 || status=$?\nprintf '\\n{} %s\\n' $status\n",
                          each.step->check, mark);
  }
  return script;
}

Result<std::vector<Outcome>> check(Connection& connection, const std::vector<Planned>& steps, const Clock& clock) {
  const std::string mark = "end-of-check-" + random_id();
  TRY(const Finished finished,
      connection.run(as_root(checks_script(steps, mark)), {clock, clock.now() + kPatienceWithChecks}));
  std::vector<Outcome> outcomes;
  std::string_view rest = finished.output;
  for (const Planned& each : steps) {
    const auto end = rest.find("\n" + mark);
    if (end == std::string_view::npos) {
      return fail(Code::unavailable,
                  fmt::format("{}: it cannot be seen what is so already: {}", each.step->host, trim(finished.errors)));
    }
    const std::string message(trim(rest.substr(0, end)));
    rest.remove_prefix(end + 1 + mark.size());
    const std::string_view status = trim(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(rest.find('\n') + 1, rest.size()));
    outcomes.push_back(outcome_of(each,
                                  status == "0"                       ? State::as_it_is
                                  : status == std::to_string(kByHand) ? State::by_hand
                                                                      : State::to_do,
                                  status == "0" ? "" : message));
  }
  return outcomes;
}

struct OfHost {
  std::string host;
  std::vector<Planned> steps;
};

std::vector<OfHost> by_host(const std::vector<Planned>& steps) {
  std::vector<OfHost> hosts;
  for (const Planned& planned : steps) {
    auto own = std::ranges::find(hosts, planned.step->host, &OfHost::host);
    if (own == hosts.end()) own = hosts.insert(hosts.end(), {planned.step->host, {}});
    own->steps.push_back(planned);
  }
  return hosts;
}

std::vector<Planned> steps_of(const Stage& stage) {
  std::vector<Planned> steps(stage.steps.size());
  std::ranges::transform(stage.steps, steps.begin(), [&](const Step& step) { return Planned{&stage, &step}; });
  return steps;
}

class Running {
 public:
  Running(const Hosts& hosts, const std::function<bool()>& stop, const Tell& tell)
      : hosts_(hosts), stop_(stop), tell_(tell) {}

  bool failed() const { return failed_; }

  void run(const Stage& stage) {
    std::vector<OfHost> hosts = by_host(steps_of(stage));
    if (stage.one_host_after_the_other) {
      if (!stage.comes_last.empty()) put_last(hosts, stage.comes_last);
      for (const OfHost& host : hosts)
        run_host(host);
    } else {
      in_parallel(hosts, hosts_.at_once, [&](const OfHost& host) { run_host(host); });
    }
    if (failed_ || !stage.afterwards) return;
    if (auto done = stage.afterwards(); !done)
      note_failure({&stage, &stage.steps.front()}, std::move(done).error().message);
  }

  void undo() {
    in_reverse([this](Connection& host, const Planned& each) { undo(host, each, each.step->undo, ""); });
    in_reverse(
        [this](Connection& host, const Planned& each) { undo(host, each, each.step->again, "again as before: "); });
  }

  std::vector<Outcome> take() { return std::move(outcomes_); }

 private:
  void note(Outcome outcome) {
    const std::lock_guard lock(mutex_);
    tell_(outcome);
    if (outcome.state != State::begun) outcomes_.push_back(std::move(outcome));
  }

  // What was done: the last stage first, and in it as it was done, hosts in parallel or one after the other; each
  // host's steps the last one first.
  template <class Each>
  void in_reverse(const Each& each) {
    for (auto at = done_.rbegin(); at != done_.rend();) {
      const Stage& stage = *at->stage;
      const auto end = std::find_if(at, done_.rend(), [&](const Planned& planned) { return planned.stage != &stage; });
      const std::vector<OfHost> hosts = by_host({at, end});
      const auto run = [&](const OfHost& host) {
        const auto connection = hosts_.connect(hosts_.topology.host(host.host));
        for (const Planned& planned : host.steps)
          each(*connection, planned);
      };
      if (stage.one_host_after_the_other) {
        std::ranges::for_each(hosts, run);
      } else {
        in_parallel(hosts, hosts_.at_once, run);
      }
      at = end;
    }
  }

  void note_failure(const Planned& planned, std::string message, milliseconds took = {}) {
    failed_ = true;
    note(outcome_of(planned, State::failed, std::move(message), took));
  }

  void put_last(std::vector<OfHost>& hosts, const std::string& script) const {
    std::vector<OfHost> last;
    std::erase_if(hosts, [&](const OfHost& host) {
      const Deadline until(hosts_.clock, hosts_.clock.now() + kPatienceWithChecks);
      const bool is_last = run_script(*hosts_.connect(hosts_.topology.host(host.host)), script, until).has_value();
      if (is_last) last.push_back(host);
      return is_last;
    });
    hosts.insert(hosts.end(), last.begin(), last.end());
  }

  void run_host(const OfHost& host) {
    if (failed_) return;
    const std::vector<Planned>& steps = host.steps;
    const auto connection = hosts_.connect(hosts_.topology.host(host.host));
    const auto found = check(*connection, steps, hosts_.clock);
    if (!found) return note_failure(steps.front(), found.error().message);
    for (std::size_t i = 0; i < steps.size() && !failed_; ++i) {
      if ((*found)[i].state == State::as_it_is) continue;
      if (stop_()) return note_failure(steps[i], "was not begun: it was asked to stop");
      note(outcome_of(steps[i], State::begun));
      const Mono began = hosts_.clock.now();
      const auto done = act(*connection, *steps[i].step);
      const auto took = std::chrono::duration_cast<milliseconds>(hosts_.clock.now() - began);
      {
        // Also what failed may have been done in part.
        const std::lock_guard lock(mutex_);
        done_.push_back(steps[i]);
      }
      if (!done) return note_failure(steps[i], done.error().message, took);
      note(outcome_of(steps[i], State::done, "", took));
    }
  }

  Result<> act(Connection& connection, const Step& step) const {
    const Deadline until(hosts_.clock, hosts_.clock.now() + step.patience);
    if (step.upload) TRYV(connection.put(step.upload->from, step.upload->to, until));
    const std::string script = fmt::format(
        "(\n{}\n)\nstatus=0\nsaid=$( (set +e\n{}\n) 2>&1 ) || status=$?\n"
        "[ $status = 0 ] || {{ echo \"it was done, and is still not as it should be: $said\" >&2; exit 1; }}\n",
        step.action, step.check);
    TRYV(run_script(connection, script, until));
    if (step.download) TRYV(connection.get(step.download->from, step.download->to, until));
    return {};
  }

  static Result<> run_script(Connection& connection, std::string_view script, const Deadline& until) {
    TRY(const Finished finished, connection.run(as_root(script), until));
    if (finished.good()) return {};
    const std::string_view said = trim(finished.errors);
    return fail(Code::unavailable,
                said.empty() ? fmt::format("its script ended with {}", finished.status) : std::string(said));
  }

  void undo(Connection& host, const Planned& planned, const std::string& script, std::string_view what) {
    if (script.empty()) return;
    const Mono began = hosts_.clock.now();
    const auto undone = run_script(host, script, {hosts_.clock, began + planned.step->patience});
    const auto took = std::chrono::duration_cast<milliseconds>(hosts_.clock.now() - began);
    note(outcome_of(planned, undone ? State::undone : State::not_undone,
                    undone ? std::string(what) : fmt::format("{}{}", what, undone.error().message), took));
  }

  const Hosts& hosts_;
  const std::function<bool()>& stop_;
  const Tell& tell_;
  std::mutex mutex_;
  std::vector<Outcome> outcomes_;  // guarded by mutex_
  std::vector<Planned> done_;      // guarded by mutex_
  std::atomic<bool> failed_ = false;
};

}  // namespace

std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::as_it_is:
      return "as it is";
    case State::to_do:
      return "to do";
    case State::by_hand:
      return "changed by hand";
    case State::begun:
      return "begun";
    case State::done:
      return "done";
    case State::failed:
      return "failed";
    case State::undone:
      return "undone";
    case State::not_undone:
      return "not undone";
  }
  std::unreachable();
}

Result<std::vector<Outcome>> plan(const Hosts& hosts, const Stages& stages) {
  std::vector<Planned> all;
  for (const Stage& stage : stages)
    std::ranges::move(steps_of(stage), std::back_inserter(all));
  std::mutex mutex;
  std::optional<Error> trouble;
  std::map<std::string, std::vector<Outcome>> found;
  in_parallel(by_host(all), hosts.at_once, [&](const OfHost& host) {
    auto of_host = check(*hosts.connect(hosts.topology.host(host.host)), host.steps, hosts.clock);
    const std::lock_guard lock(mutex);
    if (of_host) {
      std::ranges::reverse(*of_host);  // to be taken from its end
      found[host.host] = *std::move(of_host);
    } else if (!trouble) {
      trouble = of_host.error();
    }
  });
  if (trouble) return fail(*std::move(trouble));
  std::vector<Outcome> outcomes;
  for (const Planned& each : all) {
    auto& own = found[each.step->host];
    outcomes.push_back(std::move(own.back()));
    own.pop_back();
  }
  return outcomes;
}

Result<CarriedOut> carry_out(const Hosts& hosts, const Stages& stages, bool undo, const std::function<bool()>& stop,
                             const Tell& tell) {
  TRY(const std::vector<Outcome> found, plan(hosts, stages));
  std::string by_hand;
  for (const Outcome& each : found) {
    if (each.state == State::by_hand) by_hand += fmt::format("\n  {}: {}", each.host, each.step);
  }
  if (!by_hand.empty()) {
    return fail(Code::conflict,
                fmt::format("these were changed by hand, and would be overwritten; look at them with "
                            "config-center plan, take over what you need into topology.yaml, then repeat "
                            "with --overwrite:{}",
                            by_hand));
  }
  Running running(hosts, stop, tell);
  for (const Stage& stage : stages) {
    running.run(stage);
    if (running.failed()) break;
  }
  if (running.failed() && undo) running.undo();
  const bool good = !running.failed();
  return CarriedOut{.outcomes = running.take(), .good = good};
}

}  // namespace cc::deploy
