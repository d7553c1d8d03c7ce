// How the components of a playground are: a table in place on a terminal, a line for each change elsewhere.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "playground/supervisor.h"

namespace cc::cli {

class StatusScreen {
 public:
  // `below`: what else there is to say, under the table. On a terminal it is standard output that is drawn on; else the
  // lines go to standard error when `lines_aside`.
  StatusScreen(const Clock& clock, const playground::Supervisor& supervisor, bool lines_aside);
  ~StatusScreen();  // the table stays as it was last
  StatusScreen(const StatusScreen&) = delete;
  StatusScreen& operator=(const StatusScreen&) = delete;

  void show();  // as often as one likes: draws once a second, and when something changed
  void say_below(std::string text) { below_ = std::move(text); }

 private:
  void draw();
  void tell(std::size_t at) const;

  const Clock& clock_;
  const playground::Supervisor& supervisor_;
  const bool screen_, aside_;
  std::vector<playground::State> told_;
  std::string below_;
  Mono drawn_{};
  std::size_t lines_ = 0;  // that are drawn
};

}  // namespace cc::cli
