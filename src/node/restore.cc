// In the data folder:
//
//   1. restoring/ is made, with a state and a log of its own      a crash: it is removed at the next start
//   2. restoring/ready is written, with where the old data go     this decides
//   3. state.db and raft/ are moved there                         a crash: finished at the next start
//   4. restoring/raft is moved to raft/, restoring/ is removed
#include "node/restore.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <pwd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "consensus/log.h"
#include "node/backups.h"
#include "node/peers.h"

namespace cc::node {
namespace {

const Logger kLog{"node"};

constexpr std::array<std::string_view, 6> kData = {"state.db",          "state.db-wal",      "state.db-shm",
                                                   "state.db.incoming", "state.db.restored", "raft"};

bool is_there(const Path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

bool has_data(const Path& folder) {
  return std::ranges::any_of(kData, [&](std::string_view name) { return is_there(folder / name); });
}

// What is made here must be the node's.
Result<> must_be_owner_of(const Path& folder) {
  struct stat there{};
  if (::stat(folder.c_str(), &there) != 0 || there.st_uid == ::geteuid()) return {};
  const passwd* owner = ::getpwuid(there.st_uid);
  return fail(
      Code::permission_denied,
      fmt::format("{} belongs to another user, as whom the node runs: restore as that user, with: runuser -u {} "
                  "-- config-center restore …",
                  folder.string(), owner != nullptr ? owner->pw_name : std::to_string(there.st_uid)));
}

Result<std::string> key_to_seal_with(const Settings& settings, bool sealed) {
  if (!sealed) return std::string();
  TRY(std::string key, sealing_key(settings));
  if (!key.empty()) return key;
  return fail(Code::invalid_argument,
              "security.encryption_key is not set, with which a backup is sealed: give the settings of the node, or "
              "--unsealed");
}

// Beside the state and the log that are made of a backup.
Path dump_in(const Path& folder) {
  return folder / "archive.dump";
}

// A log and a state, in a folder of their own.
Result<Restored> build(const Settings& settings, const Restore& how, const Path& folder,
                       const backup::Progress& progress) {
  TRYV(make_directories(folder, 0700));
  TRY(const std::string key, sealing_key(settings));
  const Path state = folder / "state.db";
  Restored out;
  TRY(out.manifest, backup::extract(how.backup, key, state, progress, how.with_archive ? dump_in(folder) : Path()));
  TRY(out.position,
      state::restore_state(
          state, {.seen = how.seen, .since = how.since, .what = out.manifest.name(), .made = out.manifest.time}));
  TRY(auto peers, parse_peers(settings.raft.peers, settings.raft.node_id));
  const consensus::Index index = out.position.applied;
  // No term of the log before was as high as its entries were many, and none of its entries were so many.
  TRYV(consensus::Log::begin_with({.directory = folder / "raft",
                                   .node_id = settings.raft.node_id,
                                   .address = settings.raft.address,
                                   .peers = std::move(peers),
                                   .join = settings.raft.join},
                                  state, {.term = index, .index = index}));
  return out;
}

}  // namespace

Result<Path> state_of(const Settings& settings) {
  Path file = settings.data_dir / "state.db";
  if (is_there(file)) return file;
  return fail(Code::not_found,
              fmt::format("there is no state in {}: give the data folder of a node, on its own machine",
                          settings.data_dir.string()));
}

Result<std::string> sealing_key(Settings settings) {
  const bool made_here = settings.security.encryption_key.empty() && settings.raft.secret.empty();
  if (made_here && (settings.production() || !is_there(settings.data_dir / "secrets" / "encryption_key")))
    return std::string();
  TRYV(complete_secrets(settings));
  return settings.security.encryption_key;
}

Result<backup::Created> back_up(const Settings& settings, const Path& to, bool sealed, const Clock& clock,
                                const backup::Progress& progress) {
  TRY(const Path state, state_of(settings));
  TRY(const backup::Source source, source_of(settings, state, clock));
  TRY(const std::string key, key_to_seal_with(settings, sealed));
  return backup::create(source, to, key, clock.wall(), progress);
}

Result<backup::Created> back_up_to_storage(const Settings& settings, bool sealed, const Clock& clock,
                                           const backup::Progress& progress, const backup::Progress& uploading) {
  TRY(const Path state, state_of(settings));
  TRY(const backup::Source source, source_of(settings, state, clock));
  TRY(const std::string key, key_to_seal_with(settings, sealed));
  TRY(const auto storage, open_storage(settings, clock));
  return backup::create(source, storage, key, clock.wall(), progress, uploading);
}

Result<state::Since> changed_since_backup(const Settings& settings, const backup::File& backup, const Clock& clock) {
  TRY(const Path state, state_of(settings));
  TRY(const std::string key, sealing_key(settings));
  TRY(const backup::Manifest manifest, backup::manifest_of(backup, key));
  return state::changed_since(state, manifest.contents.position, clock.wall());
}

Result<Restored> restore_data(const Settings& settings, const Restore& how, const Clock& clock,
                              const backup::Progress& progress) {
  TRYV(must_be_owner_of(settings.data_dir));
  TRY(const DataFolder folder, DataFolder::open(settings.data_dir));
  TRYV(finish_restore(folder));
  const bool replaces = has_data(folder.path());
  if (replaces && !how.replace) {
    return fail(Code::already_exists,
                fmt::format("there are data in {}: with --replace they are set aside", folder.path().string()));
  }
  const Path building = folder.path() / "restoring";
  const auto build_all = [&]() -> Result<Restored> {
    if (how.with_archive) {
      TRY(const std::string key, sealing_key(settings));
      TRY(const backup::Manifest said, backup::manifest_of(how.backup, key));
      TRYV(check_history(settings, said, how.replace, clock));
    }
    TRY(Restored all, build(settings, how, building, progress));
    if (!how.with_archive) return all;
    TRY(all.history, bring_history(settings, all.manifest, dump_in(building), how.replace, clock));
    TRYV(remove_tree(dump_in(building)));
    return all;
  };
  auto built = build_all();
  if (!built) {
    TRYV(remove_tree(building));
    return built;
  }
  const std::string aside = std::string(kSetAside) + random_id();
  if (replaces) built->aside = folder.path() / aside;
  TRYV(write_file(building / "ready", aside + "\n"));
  TRYV(finish_restore(folder));
  return built;
}

Result<> finish_restore(const DataFolder& folder) {
  const Path building = folder.path() / "restoring";
  if (!is_there(building)) return {};
  const auto ready = read_file(building / "ready");
  if (!ready && ready.error().code != Code::not_found) return fail(ready.error());
  if (!ready) {
    kLog.warn("a restore was broken off before it was decided: nothing has changed",
              {{"data_dir", folder.path().string()}});
    return remove_tree(building);
  }
  if (is_there(building / "raft")) {
    const Path aside = folder.path() / trim(*ready);
    for (const std::string_view name : kData) {
      if (!is_there(folder.path() / name)) continue;
      TRYV(make_directories(aside, 0700));
      TRYV(move_file(folder.path() / name, aside / name));
    }
    TRYV(move_file(building / "raft", folder.path() / "raft"));
  }
  return remove_tree(building);
}

}  // namespace cc::node
