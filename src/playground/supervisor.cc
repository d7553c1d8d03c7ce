#include "playground/supervisor.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "playground/probe.h"
#include "playground/process.h"

namespace cc::playground {
namespace {

using namespace std::chrono_literals;

constexpr auto kShortLife = 10s;     // who dies sooner did so quickly
constexpr auto kFirstPause = 500ms;  // doubled with each quick death
constexpr auto kLongestPause = 10s;
constexpr auto kGrace = 20s;  // to end by itself
constexpr std::size_t kEndOfLog = 4096;
constexpr std::size_t kLongestLine = 200;

std::chrono::milliseconds pause_after(unsigned quick_deaths) {
  return std::min<std::chrono::milliseconds>(kLongestPause, kFirstPause * (1U << std::min(quick_deaths, 6U)));
}

}  // namespace

std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::waiting:
      return "waiting";
    case State::starting:
      return "starting";
    case State::ready:
      return "ready";
    case State::died:
      return "died";
    case State::stopping:
      return "stopping";
    case State::stopped:
      return "stopped";
  }
  return "";
}

std::string last_line(std::string_view log) {
  if (log.size() > kEndOfLog) log.remove_prefix(log.size() - kEndOfLog);
  std::string_view last;
  for (const std::string_view line : split(log, '\n'))
    if (!trim(line).empty()) last = trim(line);
  return printable(last, kLongestLine);
}

Supervisor::Supervisor(const Clock& clock, Path logs, Components components)
    : clock_(clock),
      logs_(std::move(logs)),
      components_(std::move(components)),
      statuses_(components_.size(), Status{.since = clock.now()}),
      attempts_(components_.size()) {
  adopt_orphans();
}

Supervisor::~Supervisor() {
  for (Status& status : statuses_)
    if (status.process != 0) kill_now(std::exchange(status.process, 0));
  kill_what_is_left();
}

void Supervisor::kill_what_is_left() const {
  std::vector<pid_t> ours;
  for (const Status& status : statuses_)
    if (status.process != 0) ours.push_back(status.process);
  kill_orphans(ours);
}

Path Supervisor::log_of(const Component& component) const {
  return logs_ / (component.name + ".log");
}

void Supervisor::stop() {
  stopping_ = true;
}

bool Supervisor::all_ready() const {
  return std::ranges::all_of(statuses_, [](const Status& each) { return each.state == State::ready; });
}

bool Supervisor::all_stopped() const {
  return std::ranges::all_of(statuses_, [](const Status& each) { return each.state == State::stopped; });
}

void Supervisor::step() {
  for (std::size_t at = 0; at < components_.size(); ++at)
    stopping_ ? step_down(at) : step_up(at);
}

void Supervisor::turn(std::size_t at, State to) {
  statuses_[at].state = to;
  statuses_[at].since = clock_.now();
}

bool Supervisor::has_what_it_needs(std::size_t at) const {
  return std::ranges::all_of(components_[at].needs, [&](const std::string& name) {
    const auto found = std::ranges::find(components_, name, &Component::name);
    return found != components_.end() &&
           statuses_[static_cast<std::size_t>(found - components_.begin())].state == State::ready;
  });
}

bool Supervisor::is_needed(std::size_t at) const {
  for (std::size_t other = 0; other < components_.size(); ++other) {
    const auto& needs = components_[other].needs;
    if (statuses_[other].process != 0 && std::ranges::find(needs, components_[at].name) != needs.end()) return true;
  }
  return false;
}

bool Supervisor::has_ended(std::size_t at) {
  Status& status = statuses_[at];
  const auto how = ended(status.process);
  if (!how) return false;
  status.process = 0;
  kill_what_is_left();
  if (!stopping_) note_death(at, *how);
  return true;
}

void Supervisor::note_death(std::size_t at, const std::string& how) {
  Attempts& attempts = attempts_[at];
  attempts.quick_deaths = clock_.now() - attempts.started < kShortLife ? attempts.quick_deaths + 1 : 0;
  attempts.next = clock_.now() + pause_after(attempts.quick_deaths);
  const std::string said = last_line(read_file(log_of(components_[at])).value_or(""));
  statuses_[at].why = said.empty() ? how : fmt::format("{}: {}", how, said);
  turn(at, State::died);
}

void Supervisor::start_one(std::size_t at) {
  Status& status = statuses_[at];
  const bool again = status.state == State::died;
  attempts_[at].started = clock_.now();
  const auto process = start(components_[at], log_of(components_[at]));
  if (!process) {
    note_death(at, process.error().message);
    return;
  }
  status.process = *process;
  if (again) ++status.restarts;
  turn(at, State::starting);
}

void Supervisor::step_up(std::size_t at) {
  Status& status = statuses_[at];
  if (status.process != 0 && has_ended(at)) return;
  switch (status.state) {
    case State::waiting:
      if (has_what_it_needs(at)) start_one(at);
      return;
    case State::starting:
      if (!is_ready(components_[at].readiness, status.process)) return;
      status.why.clear();
      return turn(at, State::ready);
    case State::died:
      if (clock_.now() >= attempts_[at].next) start_one(at);
      return;
    case State::ready:
    case State::stopping:
    case State::stopped:
      return;
  }
}

void Supervisor::step_down(std::size_t at) {
  Status& status = statuses_[at];
  if (status.state == State::stopped) return;
  if (status.process == 0 || has_ended(at)) return turn(at, State::stopped);
  if (status.state != State::stopping) {
    if (is_needed(at)) return;
    // To it alone: PostgreSQL's own processes are ended by it.
    ::kill(status.process, components_[at].stop_signal);
    return turn(at, State::stopping);
  }
  if (clock_.now() - status.since > kGrace) {
    kill_now(std::exchange(status.process, 0));
    kill_what_is_left();
    turn(at, State::stopped);
  }
}

}  // namespace cc::playground
