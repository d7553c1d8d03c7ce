#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/status_screen.h"
#include "cli/terminal.h"
#include "playground/folder.h"
#include "playground/supervisor.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;
namespace pg = playground;

constexpr auto kStep = 100ms;
constexpr unsigned kMostNodes = 9;

struct Options {
  std::optional<unsigned> nodes;
  std::optional<pg::Port> port_base;
  std::string folder;  // empty: a temporary one
  bool full = false, install = false;
};

// What the folder is already stays: its servers know each other.
Result<pg::Layout> layout_of(const Options& options, const pg::Folder& folder) {
  TRY(const auto kept, pg::read_layout(folder.path()));
  if (kept) {
    const bool other_ports =
        options.port_base && kept->ports.at(pg::port_names(kept->nodes, kept->full).front()) != *options.port_base;
    if ((options.nodes && *options.nodes != kept->nodes) || (options.full && !kept->full) || other_ports) {
      return wrong_usage(
          fmt::format("{} holds a playground of {}{} on other terms: leave --nodes, --full and "
                      "--port-base out, or choose another folder",
                      folder.path().string(), counted(kept->nodes, "node"), kept->full ? ", a full one," : ""));
    }
    TRYV(pg::must_be_free(kept->ports));
    return *kept;
  }
  pg::Layout layout{.nodes = options.nodes.value_or(3), .full = options.full};
  TRY(layout.ports, pg::choose_ports(pg::port_names(layout.nodes, layout.full), options.port_base));
  TRYV(pg::keep_layout(folder.path(), layout));
  return layout;
}

Result<pg::Programs> programs_for(const Options& options) {
  pg::Programs programs = pg::find_programs();
  if (options.install) {
    const Waiting waiting("installing packages");
    TRYV(pg::install(programs));
    programs = pg::find_programs();
  }
  return programs;
}

Result<pg::Site> site_of(const Options& options, const pg::Folder& folder) {
  TRY(pg::Programs programs, programs_for(options));
  TRY(pg::Layout layout, layout_of(options, folder));
  std::optional<pg::User> database_user;
  if (layout.full) {
    TRYV(pg::must_be_there(programs));
    TRY(database_user, pg::database_user(folder.path()));
  }
  TRY(deploy::Secrets secrets, deploy::keep_secrets(folder.path() / "secrets"));
  std::error_code error;
  const Path binary = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail(Code::internal, fmt::format("find the program's own file: {}", error.message()));
  return pg::Site{.folder = folder.path(),
                  .layout = std::move(layout),
                  .secrets = std::move(secrets),
                  .programs = std::move(programs),
                  .binary = binary.string(),
                  .database_user = database_user};
}

// --- where everything is ---

boost::json::array urls(const pg::Site& site, std::string_view name, unsigned count) {
  boost::json::array all;
  for (unsigned number = 1; number <= count; ++number)
    all.emplace_back("http://" + site.address(pg::numbered(name, number)));
  return all;
}

boost::json::array addresses(const pg::Site& site, std::string_view name, unsigned count) {
  boost::json::array all;
  for (unsigned number = 1; number <= count; ++number)
    all.emplace_back(site.address(pg::numbered(name, number)));
  return all;
}

boost::json::object places(const pg::Site& site, const pg::Folder& folder) {
  const auto secret = [&](const char* name) { return (folder.path() / "secrets" / name).string(); };
  boost::json::object all{
      {"nodes", urls(site, "node", site.layout.nodes)},
      {"administrator", {{"name", "admin"}, {"password_file", secret("admin")}}},
      {"folder", folder.path().string()},
      {"logs", folder.logs().string()},
  };
  if (!site.layout.full) return all;
  all["load_balancers"] = urls(site, "haproxy", pg::kBalancers);
  all["statistics"] = boost::json::array{"http://" + site.address("haproxy1.statistics") + "/stats",
                                         "http://" + site.address("haproxy2.statistics") + "/stats"};
  all["postgresql"] = {{"servers", addresses(site, "postgres", pg::kDatabases)},
                       {"user", pg::kDatabaseRole},
                       {"database", pg::kDatabase},
                       {"password_file", secret("database")}};
  all["redis"] = {{"servers", addresses(site, "redis", pg::kCaches)},
                  {"sentinels", addresses(site, "sentinel", pg::kSentinels)},
                  {"password_file", secret("cache")}};
  all["prometheus"] = "http://" + site.address("prometheus");
  all["alertmanager"] = "http://" + site.address("alertmanager");
  if (site.programs.has("grafana-server"))
    all["grafana"] = {
        {"url", "http://" + site.address("grafana")}, {"user", "admin"}, {"password_file", secret("grafana-admin")}};
  boost::json::array left_out;
  for (const pg::Program& each : site.programs.lacking(true))
    left_out.push_back({{"program", each.name}, {"package", each.package}});
  all["left_out"] = std::move(left_out);
  return all;
}

std::string joined(const boost::json::value& list) {
  std::string all;
  for (const boost::json::value& each : list.as_array())
    all += (all.empty() ? "" : "  ") + std::string(each.as_string());
  return all;
}

std::string text_of(const boost::json::object& all) {
  std::string text;
  const auto line = [&](std::string_view what, std::string_view where) {
    text += fmt::format("{:<15} {}\n", what, where);
  };
  if (all.contains("load_balancers")) {
    line("load balancers", joined(all.at("load_balancers")));
    line("statistics", joined(all.at("statistics")));
  }
  line("nodes", joined(all.at("nodes")));
  if (all.contains("postgresql")) {
    const auto& database = all.at("postgresql").as_object();
    const auto& cache = all.at("redis").as_object();
    line("PostgreSQL",
         fmt::format("{}  (user and database {}, password in {})", joined(database.at("servers")),
                     database.at("user").as_string().c_str(), database.at("password_file").as_string().c_str()));
    line("Redis", fmt::format("{}  (password in {})", joined(cache.at("servers")),
                              cache.at("password_file").as_string().c_str()));
    line("Sentinels", joined(cache.at("sentinels")));
    line("Prometheus", all.at("prometheus").as_string());
    line("Alertmanager", all.at("alertmanager").as_string());
    if (all.contains("grafana")) line("Grafana", all.at("grafana").at("url").as_string());
    for (const boost::json::value& each : all.at("left_out").as_array())
      line("left out", fmt::format("{}, of the package {}", each.at("program").as_string().c_str(),
                                   each.at("package").as_string().c_str()));
  }
  line("administrator",
       fmt::format("admin, password in {}", all.at("administrator").at("password_file").as_string().c_str()));
  line("folder", all.at("folder").as_string());
  line("logs", all.at("logs").as_string());
  return text;
}

boost::json::array processes(const pg::Supervisor& supervisor) {
  boost::json::array all;
  for (std::size_t at = 0; at < supervisor.components().size(); ++at) {
    const pg::Component& component = supervisor.components()[at];
    all.push_back({{"name", component.name},
                   {"port", component.port},
                   {"process", supervisor.statuses()[at].process},
                   {"log", supervisor.log_of(component).string()}});
  }
  return all;
}

// --- its life ---

void wait_a_little(const HeldSignals& signals) {
  pollfd either{.fd = signals.readable_when_noted(), .events = POLLIN, .revents = 0};
  // What was noted stays readable: afterwards only the time counts.
  ::poll(&either, HeldSignals::noted() == 0 ? 1 : 0, static_cast<int>(kStep / 1ms));
}

Result<> run_until_told(Session& session, const pg::Site& site, const pg::Folder& folder, pg::Supervisor& supervisor,
                        const Clock& clock, const HeldSignals& signals) {
  const Mono begin = clock.now();
  const bool for_program = session.output != Output::table;
  StatusScreen screen(clock, supervisor, for_program);
  boost::json::object where = places(site, folder);
  bool told = false;
  while (HeldSignals::noted() == 0) {
    supervisor.step();
    screen.show();
    if (!told && supervisor.all_ready()) {
      told = true;
      const double seconds = std::chrono::duration<double>(clock.now() - begin).count();
      where["seconds"] = seconds;
      where["components"] = processes(supervisor);
      std::string text = fmt::format("ready after {:.1f} s; Ctrl-C stops it\n{}", seconds, text_of(where));
      if (for_program || !output_is_terminal()) {
        TRYV(session.print(where, [&] { return text; }));
        std::fflush(stdout);
      } else {
        screen.say_below(text);
      }
    }
    wait_a_little(signals);
  }
  supervisor.stop();
  while (!supervisor.all_stopped()) {
    supervisor.step();
    screen.show();
    wait_a_little(signals);
  }
  return {};
}

Result<> run(Session& session, const Options& options) {
  if (options.nodes && (*options.nodes % 2 == 0 || *options.nodes > kMostNodes))
    return wrong_usage(
        fmt::format("--nodes is an odd number up to {}: of an even one no more may be lost", kMostNodes));
  const SystemClock clock;
  TRY(const pg::Folder folder,
      options.folder.empty() ? pg::Folder::make_temporary() : pg::Folder::keep(options.folder));
  TRY(const pg::Site site, site_of(options, folder));
  const pg::Part part = pg::all_of(site);
  TRYV(pg::write(part, folder.logs()));
  Result<> done;
  {
    std::optional<HeldSignals> signals(std::in_place);
    {
      pg::Supervisor supervisor(clock, folder.logs(), part.components);
      done = run_until_told(session, site, folder, supervisor, clock, *signals);
    }
    pg::forget_shared_memory(folder.path());
    // It was what was waited for: the command has done what it is for.
    signals->forget();
  }
  return done;
}

}  // namespace

void add_playground(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(root, "playground", "Run a whole installation on this machine, until Ctrl-C: no root, no systemd");
  command->add_option("--nodes", options->nodes, "How many nodes: 1, 3, 5, 7 or 9")->type_name("N [3]");
  command->add_flag("--full", options->full,
                    "Also HAProxy, PostgreSQL, Redis with Sentinels, Prometheus, Alertmanager, what there is of "
                    "exporters, and Grafana");
  command->add_flag("--install", options->install, "Install the packages of programs that are missing (apt-get)");
  command->add_option("--port-base", options->port_base, "Ports from this one on, instead of free ones")
      ->check(CLI::Range(1024, 65000))
      ->type_name("PORT");
  command->add_option("--folder", options->folder, "Keep everything there, and go on with it the next time")
      ->type_name("DIR");
  command->footer(examples({"config-center playground                            three nodes on free ports",
                            "config-center playground --full --port-base 20000   all of an installation",
                            "config-center playground --full --folder ./play     kept, and gone on with",
                            "config-center playground --nodes 1 -o json          tells programs where it is"}));
  on_run(*command, session, [&session, options] { return run(session, *options); });
}

}  // namespace cc::cli
