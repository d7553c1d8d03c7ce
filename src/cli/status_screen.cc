#include "cli/status_screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <fmt/format.h>

#include "base/table.h"
#include "base/text.h"
#include "cli/terminal.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;
using playground::State;

constexpr auto kBetween = 1s;

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// "8s", "3m", "2h": what a look is enough for.
std::string roughly(std::chrono::nanoseconds duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 7200) return fmt::format("{}m", seconds / 60);
  return fmt::format("{}h", seconds / 3600);
}

std::string or_nothing(auto number) {
  return number == 0 ? "-" : std::to_string(number);
}

}  // namespace

StatusScreen::StatusScreen(const Clock& clock, const playground::Supervisor& supervisor, bool lines_aside)
    : clock_(clock),
      supervisor_(supervisor),
      screen_(output_is_terminal() && !lines_aside),
      aside_(lines_aside),
      told_(supervisor.statuses().size(), State::waiting) {}

StatusScreen::~StatusScreen() {
  if (screen_) draw();
}

void StatusScreen::show() {
  bool changed = false;
  for (std::size_t at = 0; at < told_.size(); ++at) {
    const State now = supervisor_.statuses()[at].state;
    if (now == told_[at]) continue;
    told_[at] = now;
    changed = true;
    if (!screen_) tell(at);
  }
  if (screen_ && (changed || clock_.now() - drawn_ >= kBetween)) draw();
}

void StatusScreen::tell(std::size_t at) const {
  const playground::Status& status = supervisor_.statuses()[at];
  const playground::Component& component = supervisor_.components()[at];
  std::string line = fmt::format("{}: {}", component.name, to_string(status.state));
  if (status.state == State::ready) line += fmt::format(", port {}, process {}", component.port, status.process);
  if (status.state == State::died) line += fmt::format(", {}; {}", status.why, supervisor_.log_of(component).string());
  std::FILE* to = aside_ ? stderr : stdout;
  fmt::print(to, "{}\n", line);
  std::fflush(to);
}

void StatusScreen::draw() {
  drawn_ = clock_.now();
  Table table({"COMPONENT", "STATE", "PORT", "PID", "RESTARTS", "SINCE", ""});
  for (std::size_t at = 0; at < told_.size(); ++at) {
    const playground::Status& status = supervisor_.statuses()[at];
    const playground::Component& component = supervisor_.components()[at];
    table.add({component.name, std::string(to_string(status.state)), std::to_string(component.port),
               or_nothing(status.process), std::to_string(status.restarts), roughly(drawn_ - status.since),
               status.why});
  }
  const std::string text = table.to_text() + "\n" + below_;
  const std::size_t width = columns();
  std::string screen = lines_ == 0 ? "" : fmt::format("\x1b[{}A\r\x1b[J", lines_);
  lines_ = 0;
  for (std::string_view line : split(text, '\n')) {
    // A line that the terminal breaks would be two.
    screen += printable(line, width > 4 ? width - 4 : width);
    screen += '\n';
    ++lines_;
  }
  fmt::print("{}", screen);
  std::fflush(stdout);
}

}  // namespace cc::cli
