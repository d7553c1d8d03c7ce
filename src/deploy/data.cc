#include "deploy/data.h"

#include <algorithm>
#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "deploy/app.h"
#include "deploy/script.h"
#include "deploy/service.h"

namespace cc::deploy {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kPatience = 30min;  // with the largest states
constexpr int kKeptBackups = 3;

std::string backups_folder(const Topology& topology) {
  return topology.app.data_dir + "/before-deployments";
}
std::string backup_file(const Topology& topology, std::uint64_t run) {
  return fmt::format("{}/{}.ccbackup", backups_folder(topology), run);
}

// Uploaded where anybody may write; used where only the node reads.
std::string uploaded_file(const Topology& topology, std::uint64_t run) {
  return fmt::format("/var/tmp/config-center-{}-{}", topology.name, run);
}
std::string hand_over(const std::string& uploaded, const std::string& to) {
  return fmt::format("install -m 0600 -o {} -g {} {} {}\nrm -f {}\n", kAppUser, kAppUser, uploaded, to, uploaded);
}

Result<Finished> ask(const Hosts& hosts, const std::string& host, const std::string& script) {
  return hosts.connect(hosts.topology.host(host))->run(as_root(script), {hosts.clock, hosts.clock.now() + kPatience});
}

// What a command of the node's said with -o json; empty when that is no object.
json::object object_of(std::string_view text) {
  boost::system::error_code error;
  const json::value all = json::parse(text, error);
  return error || !all.is_object() ? json::object() : all.get_object();
}
std::optional<std::uint64_t> revision_in(const json::object& said) {
  const json::value* value = said.if_contains("revision");
  boost::system::error_code error;
  if (value == nullptr) return std::nullopt;
  const auto number = value->to_number<std::uint64_t>(error);
  return error ? std::nullopt : std::optional(number);
}

// What `backup show` or `verify` said of a file; nothing when that is not understood.
std::optional<KeptBackup> kept_backup(std::string_view said, const std::string& host, const std::string& file) {
  const json::object shown = object_of(said);
  const auto revision = revision_in(shown);
  const json::value* name = shown.if_contains("name");
  if (!revision || name == nullptr || !name->is_string()) return std::nullopt;
  return KeptBackup{.host = host, .file = file, .name = std::string(name->get_string()), .revision = *revision};
}

// To a file that is not there yet, and is not there before it is whole.
Result<> fetch_new(const Hosts& hosts, const KeptBackup& backup, const Path& file) {
  std::error_code error;
  if (std::filesystem::exists(file, error))
    return fail(Code::already_exists, file.string() + " is there already: a backup overwrites nothing");
  const Path beside = file.string() + ".unfinished";
  const auto connection = hosts.connect(hosts.topology.host(backup.host));
  auto got = connection->get(backup.file, beside, {hosts.clock, hosts.clock.now() + kPatience});
  if (got) got = move_file(beside, file);
  if (!got) std::filesystem::remove(beside, error);
  return got;
}

}  // namespace

Stage backup_stage(const Topology& topology, const Run& run) {
  Stage stage{.name = "backup"};
  const std::string file = backup_file(topology, run.number);
  for (const std::string& host : topology.app.hosts) {
    stage.steps.push_back(
        {.host = host,
         .name = "backup of the data",
         // A node that does not run, or is new, has nothing that the others have not.
         .check = fmt::format("systemctl is-active --quiet {} || exit 0\n[ -e {} ] && exit 0\necho 'is made and "
                              "verified'; exit 1\n",
                              kAppUnit, file),
         // Of the state alone: it is what an upgrade may break, and the archive is not asked for it.
         .action = fmt::format("{as_node}export CONFIG_CENTER_BACKUP_ARCHIVE=referenced\n"
                               "install -d -m 0700 -o {user} -g {user} {folder}\n"
                               "ls -t {folder}/*.ccbackup 2>/dev/null | tail -n +{kept} | xargs -r rm -f\n"
                               "trap 'rm -f {file}.new' EXIT; rm -f {file}.new\n"
                               "as_node {binary} backup create {file}.new >/dev/null\n"
                               "as_node {binary} backup verify {file}.new >/dev/null\n"
                               "mv {file}.new {file}\n",
                               fmt::arg("as_node", as_node()), fmt::arg("user", kAppUser),
                               fmt::arg("folder", backups_folder(topology)), fmt::arg("file", file),
                               fmt::arg("kept", kKeptBackups), fmt::arg("binary", kBinary)),
         .undo = "",
         .patience = kPatience});
  }
  return stage;
}

Result<KeptBackup> find_backup(const Hosts& hosts, std::uint64_t run) {
  std::optional<KeptBackup> best;
  std::string troubles;
  for (const std::string& host : hosts.topology.app.hosts) {
    const std::string script =
        as_node() + fmt::format("as_node {} backup show {} -o json\n", kBinary, backup_file(hosts.topology, run));
    const auto told = ask(hosts, host, script);
    if (!told || !told->good()) {
      const std::string_view why = told ? trim(told->errors) : std::string_view(told.error().message);
      troubles += fmt::format("\n  {}: {}", host, why.substr(0, why.find('\n')));
      continue;
    }
    auto found = kept_backup(told->output, host, backup_file(hosts.topology, run));
    if (found && (!best || best->revision < found->revision)) best = std::move(found);
  }
  if (best) return *std::move(best);
  return fail(Code::not_found, fmt::format("no node has a backup from before deployment {}:{}", run, troubles));
}

Result<KeptBackup> bring_backup(const Hosts& hosts, const Path& file, std::uint64_t run) {
  const std::string& host = hosts.topology.app.hosts.front();
  const auto connection = hosts.connect(hosts.topology.host(host));
  const Deadline until(hosts.clock, hosts.clock.now() + kPatience);
  const std::string uploaded = uploaded_file(hosts.topology, run);
  const std::string there = fmt::format("{}/given-{}.ccbackup", backups_folder(hosts.topology), run);
  TRYV(connection->put(file, uploaded, until));
  TRY(const Finished told,
      connection->run(as_root(fmt::format("{}install -d -m 0700 -o {} -g {} {}\n{}"
                                          "as_node {} backup verify {} -o json || {{ rm -f {}; exit 1; }}\n",
                                          as_node(), kAppUser, kAppUser, backups_folder(hosts.topology),
                                          hand_over(uploaded, there), kBinary, there, there)),
                      until));
  if (!told.good())
    return fail(Code::invalid_argument, fmt::format("{}, as {} sees it: {}", file.string(), host, trim(told.errors)));
  if (auto found = kept_backup(told.output, host, there)) return *std::move(found);
  return fail(Code::internal,
              fmt::format("{}: it is not understood what the node says of the backup: {}", host, told.output));
}

Result<TakenBackup> take_backup(const Hosts& hosts, const Path& folder) {
  std::vector<std::string> nodes = hosts.topology.app.hosts;
  const auto leader = std::ranges::find_if(nodes, [&](const std::string& host) {
    const auto told = ask(hosts, host, leads(hosts.topology.app));
    return told && told->good();
  });
  if (leader != nodes.end()) std::iter_swap(nodes.begin(), leader);
  std::string troubles;
  for (const std::string& host : nodes) {
    const std::string there = fmt::format("{}/taken-{}.ccbackup", backups_folder(hosts.topology), random_id());
    const std::string make = as_node() + fmt::format(
                                             "install -d -m 0700 -o {0} -g {0} {1}\n"
                                             "as_node {2} backup create {3} >/dev/null\n"
                                             "as_node {2} backup verify {3} -o json || {{ rm -f {3}; exit 1; }}\n",
                                             kAppUser, backups_folder(hosts.topology), kBinary, there);
    const auto told = ask(hosts, host, make);
    if (!told || !told->good()) {
      troubles += fmt::format("\n  {}: {}", host, told ? trim(told->errors) : std::string_view(told.error().message));
      continue;
    }
    auto backup = kept_backup(told->output, host, there);
    if (!backup) {
      troubles += fmt::format("\n  {}: it is not understood what the node says: {}", host, told->output);
      continue;
    }
    const Path file = folder / (backup->name + ".ccbackup");
    const auto fetched = fetch_new(hosts, *backup, file);
    const auto removed = ask(hosts, host, "rm -f " + there);
    TRYV(fetched);
    TRYV(removed);
    return TakenBackup{.backup = *std::move(backup), .file = file};
  }
  return fail(Code::unavailable, "no node could make a backup:" + troubles);
}

Result<std::string> changed_since(const Hosts& hosts, const KeptBackup& backup) {
  const std::string script = as_node() + fmt::format("as_node {} backup compare {}\n", kBinary, backup.file);
  TRY(const Finished told, ask(hosts, backup.host, script));
  if (told.good()) return told.output;
  return fail(Code::unavailable, fmt::format("{}: {}", backup.host, trim(told.errors)));
}

RestoreStages stages_to_restore(const Topology& topology, const KeptBackup& backup, const Release& target,
                                const Run& run, const Path& work) {
  RestoreStages out;
  const Path fetched = work / "backup.ccbackup", since = work / "since.json";
  const std::string uploaded = uploaded_file(topology, run.number);
  const std::string there = fmt::format("{}/restore-{}.ccbackup", backups_folder(topology), run.number);
  const std::string since_there = fmt::format("{}/restore-{}.json", backups_folder(topology), run.number);

  out.before.push_back(
      {.name = "fetch the backup",
       .steps = {{.host = backup.host,
                  .name = "backup " + backup.name,
                  .check = fmt::format("[ -e {}/fetched ] && exit 0\necho 'is fetched'; exit 1\n", run.kept()),
                  .action = fmt::format("install -d -m 0700 {0}; touch {0}/fetched\n", run.kept()),
                  .undo = "",
                  .download = Download{.from = backup.file, .to = fetched},
                  .patience = kPatience}}});
  Stage put{.name = "the backup to all nodes"}, stop{.name = "stop"}, compare{.name = "what is lost"};
  Stage restore{.name = "restore the data"};
  for (const std::string& host : topology.app.hosts) {
    put.steps.push_back({.host = host,
                         .name = "backup " + backup.name,
                         .check = fmt::format("[ -e {} ] && exit 0\necho 'is put there'; exit 1\n", there),
                         .action = fmt::format("install -d -m 0700 {}\ninstall -d -m 0700 -o {} -g {} {}\n", run.kept(),
                                               kAppUser, kAppUser, backups_folder(topology)) +
                                   hand_over(uploaded, there),
                         .undo = fmt::format("rm -f {}\n", there),
                         .upload = Upload{.from = fetched, .to = uploaded},
                         .patience = kPatience});
    stop.steps.push_back(stopped_step({.component = "app", .host = host, .unit = std::string(kAppUnit), .ready = ""}));
    // The release that has written the state reads it.
    const std::string found = fmt::format("{}/since.json", run.kept());
    compare.steps.push_back({.host = host,
                             .name = "what was changed since the backup",
                             .check = fmt::format("[ -e {} ] && exit 0\necho 'is noted'; exit 1\n", found),
                             .action = fmt::format("{}as_node {} backup compare {} -o json >{}.new\nmv {}.new {}\n",
                                                   as_node(), kBinary, there, found, found, found),
                             .undo = fmt::format("rm -f {}\n", found),
                             .download = Download{.from = found, .to = work / ("since-" + host + ".json")},
                             .patience = kPatience});
    restore.steps.push_back(
        {.host = host,
         .name = "data of " + backup.name,
         .check = fmt::format("[ -s {}/aside ] && exit 0\necho 'are restored'; exit 1\n", run.kept()),
         .action =
             (backup.of_another ? "" : hand_over(uploaded, since_there)) +
             fmt::format("{as_node}"
                         "told=$(as_node {release}/bin/config-center restore {backup} {since} --peers {members} "
                         "--replace --yes -o json)\n"
                         "printf '%s' \"$told\" | sed -n 's/.*\"aside\": *\"\\([^\"]*\\)\".*/\\1/p' >{run}/aside\n"
                         "[ -s {run}/aside ] || {{ echo \"it does not say where the data from before are: $told\" >&2; "
                         "exit 1; }}\n"
                         "rm -f {since_file} {backup}\n",
                         fmt::arg("as_node", as_node()), fmt::arg("release", target.folder()),
                         fmt::arg("since", backup.of_another ? "" : "--since " + since_there),
                         fmt::arg("since_file", since_there), fmt::arg("backup", there),
                         fmt::arg("members", members_of(topology)), fmt::arg("run", run.kept())),
         // Also when it was decided, and the data were not moved yet, or not all of them: see node/restore.cc.
         .undo = fmt::format("aside=$(cat {run}/aside 2>/dev/null || true)\n"
                             "if [ -e {data}/restoring/ready ]; then aside={data}/$(cat {data}/restoring/ready); fi\n"
                             "systemctl stop {unit}\n"
                             "rm -rf {data}/restoring\n"
                             "if [ -n \"$aside\" ] && [ -d \"$aside\" ]; then\n"
                             "  if [ -e \"$aside/state.db\" ]; then rm -f {data}/state.db-wal {data}/state.db-shm; fi\n"
                             "  for each in \"$aside\"/*; do\n"
                             "    rm -rf \"{data}/$(basename \"$each\")\"; mv \"$each\" {data}/\n"
                             "  done\n"
                             "  rmdir \"$aside\"\n"
                             "fi\nrm -f {run}/aside\n",
                             fmt::arg("run", run.kept()), fmt::arg("unit", kAppUnit),
                             fmt::arg("data", topology.app.data_dir)),
         .upload = backup.of_another ? std::nullopt : std::optional(Upload{.from = since, .to = uploaded}),
         .patience = kPatience});
  }
  // All nodes restore with the same; the one that knows most has everything that was acknowledged.
  compare.afterwards = [work, since, hosts = topology.app.hosts]() -> Result<> {
    std::optional<std::string> best;
    std::uint64_t most = 0;
    for (const std::string& host : hosts) {
      TRY(std::string said, read_file(work / ("since-" + host + ".json")));
      const auto revision = revision_in(object_of(said));
      if (!revision || (best && *revision <= most)) continue;
      best = std::move(said);
      most = *revision;
    }
    if (!best) return fail(Code::internal, "no node has said what was changed since the backup");
    return write_file(since, *best, 0600);
  };
  out.before.push_back(std::move(put));
  out.before.push_back(std::move(stop));
  if (!backup.of_another) out.before.push_back(std::move(compare));
  out.after.push_back(std::move(restore));
  return out;
}

}  // namespace cc::deploy
