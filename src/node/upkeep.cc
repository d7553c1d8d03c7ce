#include "node/upkeep.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "backup/cron.h"
#include "base/log.h"
#include "base/pause.h"
#include "node/restore.h"

namespace cc::node {
namespace {

using namespace std::chrono_literals;

const Logger kLog{"maintenance"};

constexpr auto kCutOff = 24h;     // nothing that is still written is that old
constexpr auto kLookAgain = 20s;  // the system's clock may be set

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

class Search {
 public:
  explicit Search(Wall now) : now_(now) {}

  // What begins so in the folder and has not been changed for so long.
  void among(const Path& folder, std::string_view beginning, std::chrono::milliseconds age, std::string_view why) {
    std::error_code error;
    for (std::filesystem::directory_iterator each(folder, error), end; !error && each != end; each.increment(error)) {
      const auto changed = changed_at(each->path());
      if (!each->path().filename().string().starts_with(beginning) || !changed || *changed > now_ - age) continue;
      found_.push_back({.path = each->path(), .bytes = bytes_below(each->path()), .why = std::string(why)});
    }
  }
  std::vector<Leftover> take() {
    std::ranges::sort(found_, {}, &Leftover::path);
    return std::move(found_);
  }

 private:
  Wall now_;
  std::vector<Leftover> found_;
};

}  // namespace

std::vector<Leftover> leftovers(const Settings& settings, Wall now) {
  Search search(now);
  search.among(settings.temp_dir, "backup-", kCutOff, "a backup that was cut off");
  search.among(settings.data_dir, "before-restore-", settings.maintenance.keep, "set aside by a restore");
  return search.take();
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
    const Wall now = clock_.wall();
    if (*due > now) {
      pause_for(std::min(std::chrono::duration_cast<std::chrono::milliseconds>(*due - now),
                         std::chrono::milliseconds(kLookAgain)),
                stop);
      continue;
    }
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
