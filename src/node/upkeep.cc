#include "node/upkeep.h"

#include <sys/stat.h>

#include <algorithm>

#include <fmt/format.h>

#include "backup/cron.h"
#include "backup/scratch.h"
#include "base/log.h"
#include "base/pause.h"
#include "node/restore.h"

namespace cc::node {
namespace {

using namespace std::chrono_literals;

const Logger kLog{"maintenance"};

constexpr auto kCutOff = 24h;  // nothing that is still written is that old

std::optional<Wall> changed_at(const Path& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return std::nullopt;
  return Wall(std::chrono::milliseconds(std::int64_t{found.st_mtim.tv_sec} * 1000));
}

std::uint64_t bytes_below(const Path& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    const auto size = std::filesystem::file_size(path, error);
    return error ? 0 : size;
  }
  std::uint64_t bytes = 0;
  for (std::filesystem::recursive_directory_iterator each(path, error), end; !error && each != end;
       each.increment(error)) {
    std::error_code gone;
    if (each->is_regular_file(gone)) bytes += each->file_size(gone);
  }
  return bytes;
}

}  // namespace

std::vector<Leftover> leftovers(const Settings& settings, Wall now) {
  std::vector<Leftover> found;
  const auto add_old = [&](const Path& path, std::chrono::milliseconds age, std::string_view why) {
    const auto changed = changed_at(path);
    if (changed && *changed <= now - age)
      found.push_back({.path = path, .bytes = bytes_below(path), .why = std::string(why)});
  };
  backup::each_abandoned(settings.temp_dir,
                         [&](const Path& path) { add_old(path, kCutOff, "a backup that was cut off"); });
  std::error_code error;
  for (std::filesystem::directory_iterator each(settings.data_dir, error), end; !error && each != end;
       each.increment(error)) {
    if (each->path().filename().string().starts_with(kSetAside))
      add_old(each->path(), settings.maintenance.keep, "set aside by a restore");
  }
  std::ranges::sort(found, {}, &Leftover::path);
  return found;
}

Result<Upkept> look_at(const Settings& settings, Wall now) {
  TRY(const Path state, state_of(settings));
  Upkept seen;
  TRY(seen.before, state::room_in(state));
  seen.after = seen.before;
  seen.removed = leftovers(settings, now);
  return seen;
}

Result<Upkept> keep_up(const Settings& settings, Wall now, const std::stop_token& stop) {
  TRY(Upkept done, look_at(settings, now));
  TRY(const Path state, state_of(settings));
  TRY(done.after, state::keep_up(state, stop));
  for (const Leftover& each : done.removed)
    TRYV(remove_tree(each.path));
  return done;
}

Upkeep::Status Upkeep::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Upkeep::run(const std::stop_token& stop) {
  const auto cron = backup::Cron::parse(settings_.maintenance.cron);
  if (!cron) return kLog.error("there is no maintenance", {{"reason", cron.error()}});
  Wall since = clock_.wall();
  while (!stop.stop_requested()) {
    const auto due = cron->next(since);
    if (!due) return kLog.error("there is no maintenance", {{"reason", due.error()}});
    pause_until(*due, clock_, stop);
    if (stop.stop_requested()) return;
    const Wall now = clock_.wall();
    since = now;
    const auto done = keep_up(settings_, now, stop);
    if (done) {
      kLog.info("maintenance is done",
                {{"state_bytes", done->after.bytes},
                 {"given_back", done->before.bytes - std::min(done->before.bytes, done->after.bytes)},
                 {"removed", done->removed.size()}});
    } else {
      kLog.error("maintenance failed; it is tried again the next time", {{"reason", done.error()}});
    }
    const std::lock_guard lock(mutex_);
    ++(done ? status_.successes : status_.failures);
    if (done) status_.success = now;
  }
}

}  // namespace cc::node
