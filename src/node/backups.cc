#include "node/backups.h"

#include <algorithm>

#include <fmt/format.h>

#include "backup/cron.h"
#include "backup/folder.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/text.h"
#include "node/history_backup.h"
#include "node/rehearsal.h"

namespace cc::node {
namespace {

const Logger kLog{"backup"};

constexpr std::chrono::milliseconds kFirstRetry = std::chrono::seconds(30);
constexpr std::chrono::milliseconds kLastRetry = std::chrono::minutes(15);

std::string in_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Under the names that the providers' own programs read.
Result<std::string> credentials_in_environment(std::string_view type) {
  if (type == "s3") {
    return std::string(trim(fmt::format("{} {} {}", in_environment("AWS_ACCESS_KEY_ID"),
                                        in_environment("AWS_SECRET_ACCESS_KEY"), in_environment("AWS_SESSION_TOKEN"))));
  }
  if (type == "azure") return in_environment("AZURE_STORAGE_CONNECTION_STRING");
  const std::string file = type == "gcs" ? in_environment("GOOGLE_APPLICATION_CREDENTIALS") : "";
  if (file.empty()) return std::string();
  return read_file(file);
}

}  // namespace

Result<std::shared_ptr<backup::Storage>> open_storage(const Settings& settings, const Clock& clock,
                                                      const std::stop_token& stop) {
  const auto& from = settings.backup;
  backup::StorageOptions options{.type = from.type,
                                 .path = from.path,
                                 .endpoint = from.endpoint,
                                 .region = from.region,
                                 .addressing = from.addressing,
                                 .credentials = from.credentials,
                                 .ca_file = from.ca_file,
                                 .timeout = from.timeout};
  if (from.type == "local" && from.path.empty()) options.path = (settings.data_dir / "backups").string();
  if (options.credentials.empty()) {
    TRY(options.credentials, credentials_in_environment(from.type));
  }
  return backup::open_storage(options, clock, stop);
}

Result<backup::File> find_backup(const Settings& settings, const std::string& name, const Clock& clock) {
  std::error_code error;
  const bool is_file = std::filesystem::exists(name, error);
  if (is_file) return backup::file_at(name);
  TRY(auto storage, open_storage(settings, clock));
  std::string_view rest = name;
  if (const std::string above = storage->where(""); rest.starts_with(above)) rest.remove_prefix(above.size());
  if (rest.contains('/')) return backup::file_at(name);
  std::string in_storage(rest);
  if (!rest.ends_with(backup::kEnding)) in_storage += backup::kEnding;
  return backup::File{std::move(storage), std::move(in_storage)};
}

backup::Retention retention_of(const Settings& settings) {
  return {.max_backups = settings.backup.max_backups, .max_age = settings.backup.max_age};
}

Backups::Backups(const Settings& settings, const Path& state, const Clock& clock)
    : settings_(settings), state_(state), clock_(clock) {}

Backups::Status Backups::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

// What there is. The figures of the newest good one are the last one's, also after a start.
Result<std::vector<backup::Kept>> Backups::look(const Storage& storage) {
  TRY(auto all, backup::list(storage, settings_.security.encryption_key));
  const auto best = std::ranges::find_if(all, &backup::Kept::good);
  if (best != all.end()) {
    const std::lock_guard lock(mutex_);
    status_.success = std::max(status_.success, std::optional(best->manifest->time));
    status_.verified = std::max(status_.verified, best->verified);
    status_.bytes = best->bytes;
  }
  return all;
}

// That the newest good one cannot be restored is said, and tried again with the next.
void Backups::rehearse_now_and_then(const std::vector<backup::Kept>& all) {
  const auto every = settings_.backup.restored_every;
  const auto newest = std::ranges::find_if(all, &backup::Kept::good);
  const auto is_recent = [&](const backup::Kept& each) {
    return each.restored && *each.restored + every > clock_.wall();
  };
  if (every.count() == 0 || newest == all.end() || std::ranges::any_of(all, is_recent)) return;
  auto done = rehearse(settings_, newest->file, settings_.temp_dir, clock_);
  Result<> noted;
  if (done) noted = backup::note_restored(newest->file, clock_.wall());
  if (!done || !noted) {
    kLog.error("a backup could not be restored into a scratch node",
               {{"file", newest->file.where()}, {"reason", done ? noted.error() : done.error()}});
    const std::lock_guard lock(mutex_);
    ++status_.failures;
    return;
  }
  kLog.info("restored a backup into a scratch node, which started and answered", {{"file", newest->file.where()}});
}

// What cannot be removed is no failure of the backup that was made, and is tried again after the next.
void Backups::tidy(const Storage& storage) {
  if (const auto tidied = backup::tidy(*storage); !tidied)
    kLog.warn("what broken backups left in the storage stays", {{"reason", tidied.error()}});
  const auto all = look(storage);
  if (!all) return kLog.warn("backups cannot be listed", {{"reason", all.error()}});
  rehearse_now_and_then(*all);
  for (const backup::Kept& old : backup::to_remove(*all, retention_of(settings_), clock_.wall())) {
    if (const auto removed = backup::remove(old); !removed) {
      kLog.warn("a backup that is not kept any longer stays", {{"reason", removed.error()}});
    } else {
      kLog.info("removed a backup that is not kept any longer", {{"file", old.file.where()}});
    }
  }
}

Result<> Backups::make(const Storage& storage, const std::stop_token& stop) {
  const Mono began = clock_.now();
  const std::string& key = settings_.security.encryption_key;
  const auto create = [&]() -> Result<backup::Created> {
    TRY(const backup::Source source, source_of(settings_, state_, clock_, stop));
    return backup::create(source, storage, key, clock_.wall());  // then the moment of the archive is held no longer
  };
  TRY(const backup::Created made, create());
  if (const auto& of = made.manifest.history; of && !of->trouble.empty())
    kLog.warn("it is not known how far the archive is that belongs to a backup", {{"reason", of->trouble}});
  TRY(const VerifiedBackup verified,
      verify_backup(made.file, key, backup::Level::rows, settings_.temp_dir, clock_, {}, stop));
  if (!verified.unread.empty())
    kLog.warn("the dump of the archive in a backup was not read", {{"reason", verified.unread}});
  TRYV(backup::note_verified(made.file, clock_.wall()));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - began);
  kLog.info("made a backup, and verified it", {{"file", made.file.where()},
                                               {"revision", made.manifest.contents.position.revision},
                                               {"bytes", made.bytes},
                                               {"took_ms", took.count()}});
  {
    const std::lock_guard lock(mutex_);
    status_.took = took;
    ++status_.successes;
  }
  return {};
}

void Backups::run(const std::stop_token& stop) {
  const auto cron = backup::Cron::parse(settings_.backup.cron);
  if (!cron) return kLog.error("no backup is made", {{"reason", cron.error()}});
  const auto storage = open_storage(settings_, clock_, stop);
  if (!storage) return kLog.error("no backup is made", {{"reason", storage.error()}});
  Wall since = clock_.wall();  // with none there the first is made when it is time, and not at each start
  std::chrono::milliseconds retry = kFirstRetry;
  if (const auto found = look(*storage); found && status().success) since = *status().success;
  while (!stop.stop_requested()) {
    const auto due = cron->next(since);
    if (!due) return kLog.error("no backup is made", {{"reason", due.error()}});
    pause_until(*due, clock_, stop);
    if (stop.stop_requested()) return;
    const Wall now = clock_.wall();
    {
      const std::lock_guard lock(mutex_);
      status_.attempt = now;
    }
    if (const auto made = make(*storage, stop); !made) {
      if (stop.stop_requested()) return;
      kLog.error("a backup failed; it is tried again", {{"reason", made.error()}, {"after_s", retry.count() / 1000}});
      {
        const std::lock_guard lock(mutex_);
        ++status_.failures;
      }
      pause_for(retry, stop);
      retry = std::min(2 * retry, kLastRetry);
      continue;
    }
    retry = kFirstRetry;
    tidy(*storage);
    since = clock_.wall();
    if (const auto next = cron->next(now); next && *next <= since)
      kLog.warn("a backup became due while one was made: it is left out", {{"due", format_time(*next)}});
  }
}

}  // namespace cc::node
