#include "cli/installation.h"

#include <cstdlib>
#include <map>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "cli/deployment_output.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/topology_file.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;
using State = deploy::Outcome::State;

constexpr auto kPatienceWithPackage = 1min;

std::string operator_name() {
  const char* user = std::getenv("USER");
  return user != nullptr ? user : "somebody";
}

boost::json::object event_of(const deploy::Outcome& each) {
  boost::json::object event = json_of(each);
  event["took_ms"] = each.took.count();
  return event;
}

// One line for each step that was done; events, one on each line, for machines.
Result<> tell(const Session& session, const deploy::Outcome& each) {
  if (session.output == Output::json) return write_output(boost::json::serialize(event_of(each)) + "\n");
  if (each.state == State::begun) return {};
  std::string line = fmt::format("{:<10} {:<12} {}", deploy::to_string(each.state), each.host, each.step);
  if (each.took >= 100ms) line += fmt::format("  ({:.1f} s)", std::chrono::duration<double>(each.took).count());
  if (!each.message.empty()) {
    for (const std::string_view part : split(each.message, '\n'))
      line += fmt::format("\n           | {}", part);
  }
  return write_output(for_output(line) + "\n");
}

// Of releases that were deployed from here: for hosts that come later.
Path kept_package(const Installation& installation, const std::string& release, std::string_view form) {
  return installation.numbers_file.parent_path() / "packages" / fmt::format("{}{}", release, form);
}

deploy::Release deployed_release(const Installation& installation, const std::string& name) {
  for (const std::string_view form : deploy::kForms) {
    const auto kept = deploy::read_release(kept_package(installation, name, form),
                                           {installation.clock, installation.clock.now() + kPatienceWithPackage});
    if (kept && kept->name == name) return *kept;
  }
  return deploy::release_on_hosts(name);
}

Result<> keep_package(const Installation& installation, const deploy::Release& release) {
  const Path kept = kept_package(installation, release.name, release.form());
  std::error_code error;
  if (release.package.empty() || std::filesystem::exists(kept, error)) return {};
  TRYV(make_directories(kept.parent_path(), 0700));
  TRY(const std::string bytes, read_file(release.package));
  return write_file(kept, bytes, 0600);
}

std::string failure_of(const deploy::CarriedOut& carried, bool undo) {
  std::string why;
  bool undone = false, not_undone = false;
  for (const deploy::Outcome& each : carried.outcomes) {
    if (each.state == State::failed && why.empty())
      why = fmt::format("{}, {}: {}", each.host, each.step, each.message.substr(0, each.message.find('\n')));
    undone = undone || each.state == State::undone;
    not_undone = not_undone || each.state == State::not_undone;
  }
  if (not_undone)
    return why +
           "\nnot everything could be undone, see above: mend it, then repeat the command, which goes on from there";
  if (undone) return why + "\nwhat had been done was undone; packages and users stay";
  return why + (undo ? "\nnothing had been done that must be undone" : "\nnothing was undone") +
         "; repeat the command to go on from there";
}

}  // namespace

deploy::Hosts Installation::hosts() const {
  return {.topology = topology,
          .connect = [this](const deploy::Host& host) { return deploy::connect(topology, host); },
          .clock = clock};
}

Result<Installation> open_installation(const std::string& file) {
  TRY(deploy::Topology topology, read_topology_file(file));
  TRY(std::string text, read_file(file));
  TRY(deploy::Secrets secrets, deploy::keep_secrets(secrets_folder(file, topology)));
  const Path folder = Path(file).parent_path() / "deployments" / topology.name;
  const Path numbers_file = folder / "nodes.json";
  TRY(deploy::Numbers numbers, deploy::Numbers::read(numbers_file));
  numbers.apply(topology.app, topology);
  return Installation{.topology = std::move(topology),
                      .text = std::move(text),
                      .secrets = std::move(secrets),
                      .records = deploy::Records(folder),
                      .numbers = std::move(numbers),
                      .numbers_file = numbers_file};
}

Result<Installation> with_text(const Installation& installation, const std::string& file, std::string text) {
  Installation other = installation;
  TRY(other.topology, deploy::read_topology(text, file));
  TRY(other.numbers, deploy::Numbers::read(installation.numbers_file));
  other.numbers.apply(other.topology.app, other.topology);
  other.text = std::move(text);
  return other;
}

Result<deploy::Release> release_of(const Installation& installation, const std::string& package,
                                   const std::string& release) {
  if (!package.empty())
    return deploy::read_release(package, {installation.clock, installation.clock.now() + kPatienceWithPackage});
  if (!release.empty()) return deployed_release(installation, release);
  const auto last = installation.records.last_good();
  if (last && !last->release.empty()) return deployed_release(installation, last->release);
  return wrong_usage("there was no deployment yet: name the package with --package, one that script/package made");
}

Result<> must_be_hosts(const deploy::Topology& topology, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (topology.find_host(name) == nullptr) return wrong_usage(fmt::format("the topology has no host \"{}\"", name));
  return {};
}

Result<> carry_out(Session& session, const Installation& installation, const Operation& operation,
                   const deploy::Run& run, const deploy::Stages& stages) {
  HeldSignals signals;  // longer than the lock
  const auto connection = deploy::connect(installation.topology, deploy::host_of_lock(installation.topology));
  TRY(const auto lock, deploy::Lock::take(*connection, operation.name, installation.clock));
  deploy::Record record{.number = run.number,
                        .operation = operation.name,
                        .who = operator_name(),
                        .release = operation.release,
                        .state = operation.whole ? sha256_hex(operation.release + "\n" + operation.text) : "",
                        .began = installation.clock.wall(),
                        .ended = installation.clock.wall(),
                        .result = "begun"};
  TRYV(installation.records.keep_topology(run.number, operation.text));
  TRYV(installation.records.keep(record));
  const auto carried = deploy::carry_out(
      installation.hosts(), stages, operation.undo, [] { return HeldSignals::noted() != 0; },
      [&](const deploy::Outcome& each) {
        // Nobody reads any more: what was begun is ended all the same.
        if (!tell(session, each)) return;
      });
  if (carried && !carried->good) signals.forget();  // why it ended is told below
  record.ended = installation.clock.wall();
  if (carried) record.outcomes = carried->outcomes;
  record.result = carried && carried->good ? "good" : "failed";
  TRYV(installation.records.keep(record));
  if (!carried) return fail(carried.error());
  if (carried->good && operation.whole) TRYV(installation.numbers.keep(installation.numbers_file));
  if (!carried->good) return fail(Code::conflict, failure_of(*carried, operation.undo));
  if (session.output == Output::table) {
    const double seconds = std::chrono::duration<double>(record.ended - record.began).count();
    const std::size_t steps = carried->outcomes.size();
    return write_output(steps == 0 ? fmt::format("nothing to do: everything is so already ({:.1f} s)\n", seconds)
                                   : fmt::format("\n{} done in {:.1f} s\n", counted(steps, "step"), seconds));
  }
  return {};
}

deploy::Stages stages_of(const Installation& installation, const deploy::Release& release, const deploy::Run& run,
                         const Deployment& deployment, const Path& work) {
  const auto last = installation.records.last_good();
  const bool other_release = last && last->release != release.name;
  return deploy::stages_of({.topology = installation.topology,
                            .secrets = installation.secrets,
                            .release = release,
                            .run = run,
                            .overwrite = deployment.overwrite,
                            .backup = deployment.backup && (other_release || deployment.data),
                            .data = deployment.data,
                            .work = work});
}

Result<> deploy_installation(Session& session, const Installation& installation, const Deployment& deployment) {
  TRY(const deploy::Release release, release_of(installation, deployment.package, deployment.release));
  TRYV(keep_package(installation, release));
  // Before the first change alone: the measurements would disturb who is at work.
  if (deployment.check && !installation.records.last_good())
    TRYV(print_findings(session, check_all(installation.topology, false), false));
  const deploy::Run run{.number = installation.records.next_number()};
  TRY(const TempDirectory work, TempDirectory::make());
  const deploy::Stages stages = stages_of(installation, release, run, deployment, work.path());
  TRYV(carry_out(session, installation,
                 {.name = deployment.name, .release = release.name, .text = installation.text, .undo = deployment.undo},
                 run, stages));
  if (!deployment.verify) return {};
  return verify_installation(session, installation);
}

Result<> print_findings(Session& session, const std::vector<deploy::Finding>& findings, bool all) {
  std::map<deploy::Verdict, std::size_t> counts;
  boost::json::array items;
  for (const deploy::Finding& each : findings) {
    ++counts[each.verdict];
    items.push_back({{"host", each.host},
                     {"check", each.check},
                     {"result", deploy::to_string(each.verdict)},
                     {"message", each.message}});
  }
  const std::size_t failed = counts[deploy::Verdict::fail];
  TRYV(session.print({{"passed", failed == 0}, {"checks", items}}, [&] {
    Table table({"HOST", "CHECK", "RESULT", "MESSAGE"});
    for (const deploy::Finding& each : findings) {
      if (all || each.verdict != deploy::Verdict::pass)
        table.add({each.host, each.check, std::string(deploy::to_string(each.verdict)), each.message});
    }
    return fmt::format("{}{}{} passed, {} warnings, {} failed, {} not tested\n",
                       table.rows() > 0 ? table.to_text() : "", table.rows() > 0 ? "\n" : "",
                       counts[deploy::Verdict::pass], counts[deploy::Verdict::warn], failed,
                       counts[deploy::Verdict::not_tested]);
  }));
  if (failed == 0) return {};
  return fail(Code::conflict, fmt::format("{} failed", counted(failed, "check")));
}

Result<std::vector<deploy::Outcome>> plan_of(const Installation& installation, const deploy::Stages& stages) {
  const Waiting waiting(fmt::format("looking at {}", counted(installation.topology.hosts.size(), "host")));
  return deploy::plan(installation.hosts(), stages);
}

Result<> verify_installation(Session& session, const Installation& installation,
                             const std::vector<deploy::Probe>& more) {
  std::vector<deploy::Probe> probes = deploy::probes_of(installation.topology, installation.secrets);
  probes.insert(probes.end(), more.begin(), more.end());
  std::vector<deploy::Finding> findings;
  {
    Progress progress("verifying", probes.size());
    findings = deploy::verify(installation.hosts(), probes, [&] { progress.advance(); });
  }
  return print_findings(session, findings, false);
}

}  // namespace cc::cli
