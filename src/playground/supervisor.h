// Runs components: in the order of what they need, again when they die, and ends them in the opposite order.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "playground/component.h"

namespace cc::playground {

enum class State { waiting, starting, ready, died, stopping, stopped };
std::string_view to_string(State state) noexcept;

struct Status {
  State state = State::waiting;
  pid_t process = 0;      // 0: there is none
  unsigned restarts = 0;  // since the playground runs
  Mono since{};           // it is in that state
  std::string why;        // died: how, and the last line of its log
};

// Not thread-safe: every call, also the destructor, comes from the thread that made it, whose end ends the processes.
class Supervisor {
 public:
  // A log for each process, NAME.log, goes into the folder `logs`. `clock` outlives it.
  Supervisor(const Clock& clock, Path logs, Components components);
  ~Supervisor();  // kills what still runs
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Starts what can start, sees who died or became ready. To be called some ten times a second; blocks as long as those
  // that are asked whether they are ready take to answer.
  void step();
  // From now on step() ends them: each when nobody is left that needs it; who is not gone in time is killed.
  void stop();

  bool all_ready() const;
  bool all_stopped() const;
  const Components& components() const { return components_; }
  const std::vector<Status>& statuses() const { return statuses_; }  // one for each, in that order
  Path log_of(const Component& component) const;

 private:
  // One component, and what is known of it.
  struct Attempts {
    Mono started{}, next{};
    unsigned quick_deaths = 0;  // one after the other
  };

  void turn(std::size_t at, State to);
  void start_one(std::size_t at);
  void note_death(std::size_t at, const std::string& how);
  void step_up(std::size_t at);
  void step_down(std::size_t at);
  bool has_what_it_needs(std::size_t at) const;
  bool is_needed(std::size_t at) const;
  bool has_ended(std::size_t at);
  void kill_what_is_left() const;

  const Clock& clock_;
  const Path logs_;
  const Components components_;
  std::vector<Status> statuses_;
  std::vector<Attempts> attempts_;
  bool stopping_ = false;
};

// The last line of a log that says something; empty: there is none.
std::string last_line(std::string_view log);

}  // namespace cc::playground
