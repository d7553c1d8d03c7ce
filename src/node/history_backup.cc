#include "node/history_backup.h"

#include <functional>
#include <memory>

#include <fmt/format.h>

#include "archive/dump.h"
#include "backup/scratch.h"
#include "base/log.h"
#include "base/pause.h"
#include "node/restore.h"
#include "state/contents.h"
#include "state/feed.h"

namespace cc::node {
namespace {

const Logger kLog{"backup"};

constexpr std::chrono::hours kDumpPatience{12};  // of the largest archives
constexpr std::chrono::seconds kCatchUp{5};      // of a follower, with what the leader has archived
constexpr std::chrono::milliseconds kLook{50};

backup::History said_of(const Settings& settings) {
  return {.hosts = settings.database.host, .database = settings.database.database, .port = settings.database.port};
}

// Why an archive is none of that cluster's; "" when it is.
std::string no_archive_of(const std::string& cluster_id, const archive::Extent& found) {
  if (found.cluster_id.empty())
    return fmt::format("no node has begun an archive in the database at {} yet", found.server);
  if (found.cluster_id == cluster_id) return {};
  return fmt::format("the database at {} has the archive of another cluster: {}, and this is {}", found.server,
                     found.cluster_id, cluster_id);
}

void note(backup::History& history, const archive::Extent& extent) {
  history.revision = extent.revision;
  history.last_release = extent.at.release;
  history.last_audit = extent.at.audit;
}

bool lacks(const state::FeedPosition& one, const state::FeedPosition& other) {
  return one.release < other.release || one.audit < other.audit;
}

Result<backup::History> look(const Settings& settings, const Path& copy, const Clock& clock) {
  backup::History out = said_of(settings);
  TRY(const auto here, state::Feed(copy).newest({}));
  const auto extent = archive::extent_of(archive_options(settings), clock);
  out.trouble = extent ? no_archive_of(here.cluster_id, *extent) : extent.error().message;
  if (out.trouble.empty()) note(out, *extent);
  return out;
}

// What the archive has must be in the state, too: a node that follows may need a moment. One that is not running is as
// old as it is.
void await_state(const state::Feed& feed, const state::FeedPosition& archived, const Clock& clock,
                 const std::stop_token& stop) {
  const Deadline until(clock, clock.now() + kCatchUp, stop);
  while (!until.passed()) {
    const auto here = feed.newest(until);
    if (!here || !lacks(here->at, archived)) return;
    pause_for(kLook, stop);
  }
}

std::string where_of(const archive::Extent& extent, const Settings& settings) {
  return fmt::format("{}/{}", extent.server, settings.database.database);
}

using TakeHistory = std::function<Result<backup::History>(const Path& copy, const Path& dump)>;

std::unexpected<Error> without(Error error) {
  return fail(
      std::move(error).with_context("the history in the archive cannot be part of the backup (backup.archive)"));
}

Result<TakeHistory> history_to_back_up(const Settings& settings, const Path& state, const Clock& clock,
                                       const std::stop_token& stop) {
  if (settings.database.host.empty()) return TakeHistory();
  if (settings.backup.archive != "included") {
    return TakeHistory([settings, &clock](const Path& copy, const Path&) { return look(settings, copy, clock); });
  }
  const archive::Options options = archive_options(settings);
  auto first = archive::HeldArchive::hold(options, clock);
  if (!first) return without(std::move(first).error());
  const auto held = std::make_shared<archive::HeldArchive>(*std::move(first));
  await_state(state::Feed(state), held->extent().at, clock, stop);
  return TakeHistory(
      [settings, options, held, stop, &clock](const Path& copy, const Path& dump) -> Result<backup::History> {
        TRY(const auto here, state::Feed(copy).newest({}));
        // Nodes forget what is archived: between the two moments they may have forgotten what this dump would not have.
        if (lacks(held->extent().at, here.archived)) {
          auto again = archive::HeldArchive::hold(options, clock);
          if (!again) return without(std::move(again).error());
          *held = *std::move(again);
        }
        if (std::string why = no_archive_of(here.cluster_id, held->extent()); !why.empty())
          return without({Code::conflict, std::move(why)});
        if (auto dumped = held->dump(dump, {clock, clock.now() + kDumpPatience, stop}); !dumped)
          return without(std::move(dumped).error());
        backup::History out = said_of(settings);
        note(out, held->extent());
        return out;
      });
}

}  // namespace

archive::Options archive_options(const Settings& settings) {
  const auto& database = settings.database;
  return {.hosts = database.host,
          .port = database.port,
          .username = database.username,
          .password = database.password,
          .database = database.database,
          .sslmode = database.sslmode,
          .root_certificate = database.root_certificate,
          .pool_size = database.pool_size,
          .max_lifetime = database.max_lifetime};
}

Result<backup::Source> source_of(const Settings& settings, const Path& state, const Clock& clock,
                                 const std::stop_token& stop) {
  TRY(auto history, history_to_back_up(settings, state, clock, stop));
  return backup::Source{
      .state = state, .scratch = settings.temp_dir, .node_id = settings.raft.node_id, .history = std::move(history)};
}

Result<VerifiedBackup> verify_backup(const backup::File& file, std::string_view key, backup::Level level,
                                     const Path& scratch, const Clock& clock, const backup::Progress& progress,
                                     const std::stop_token& stop) {
  VerifiedBackup out;
  const auto read = [&](const Path& dump) -> Result<> {
    auto done = archive::read_dump(dump, {clock, clock.now() + kDumpPatience, stop});
    const bool cannot = !done && (done.error().code == Code::not_found || done.error().code == Code::invalid_argument);
    if (done || !cannot) return done;
    out.unread = std::move(done).error().message;
    return {};
  };
  TRY(out.manifest, backup::verify(file, key, level, scratch, progress, read));
  return out;
}

HistoryNow history_now(const Settings& settings, const std::string& cluster_id, const Clock& clock) {
  HistoryNow out{.where = fmt::format("{}/{}", settings.database.host, settings.database.database)};
  const auto extent = archive::extent_of(archive_options(settings), clock);
  if (!extent) {
    out.trouble = extent.error().message;
    return out;
  }
  out.where = where_of(*extent, settings);
  out.trouble = no_archive_of(cluster_id, *extent);
  out.revision = extent->revision;
  out.has_rows = extent->has_rows;
  return out;
}

Result<> check_history(const Settings& settings, const backup::Manifest& manifest, bool replace, const Clock& clock) {
  TRYV(backup::must_have_dump(manifest, manifest.name()));
  if (settings.database.host.empty()) {
    return fail(Code::invalid_argument,
                "database.host is not set, and so it is not known where the history belongs: give the settings of the "
                "nodes (--config)");
  }
  TRYV(archive::check_bring_back(archive_options(settings), replace, clock));
  return {};
}

Result<BroughtHistory> bring_history(const Settings& settings, const backup::Manifest& manifest, const Path& dump,
                                     bool replace, const Clock& clock) {
  TRY(const auto done,
      archive::bring_back(archive_options(settings),
                          {.dump = dump, .cluster_id = manifest.contents.position.cluster_id, .replace = replace},
                          clock, {clock, clock.now() + kDumpPatience}));
  kLog.info("brought the history back into the archive",
            {{"server", done.extent.server}, {"revision", done.extent.revision}, {"set_aside", done.set_aside}});
  return BroughtHistory{
      .where = where_of(done.extent, settings), .revision = done.extent.revision, .set_aside = done.set_aside};
}

Result<BroughtHistory> restore_history(const Settings& settings, const backup::File& file, bool replace,
                                       const Clock& clock, const backup::Progress& progress) {
  TRY(const std::string key, sealing_key(settings));
  TRY(const backup::Manifest said, backup::manifest_of(file, key));
  TRYV(check_history(settings, said, replace, clock));
  if (const auto state = state_of(settings)) {
    TRY(const auto here, state::Feed(*state).newest({}));
    if (const std::string& of = said.contents.position.cluster_id; here.cluster_id != of) {
      return fail(Code::conflict, fmt::format("the node in {} is of another cluster, {}, than the backup, {}: its "
                                              "archive would not be written any more",
                                              settings.data_dir.string(), here.cluster_id, of));
    }
  }
  TRY(const backup::Scratch scratch, backup::Scratch::make(settings.temp_dir));
  TRY(const backup::Manifest manifest, backup::extract_dump(file, key, scratch.dump(), progress));
  return bring_history(settings, manifest, scratch.dump(), replace, clock);
}

}  // namespace cc::node
