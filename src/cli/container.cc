#include "deploy/container.h"

#include <filesystem>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/topology_file.h"

namespace cc::cli {
namespace {

// Without a topology: one node on this machine.
Result<deploy::Topology> topology_of(const std::string& file) {
  if (file.empty()) {
    deploy::Topology alone;
    alone.name = "config-center";
    alone.hosts = {{.name = "local", .address = "127.0.0.1", .local = true}};
    alone.app.hosts = {"local"};
    return alone;
  }
  return read_topology_file(file);
}

struct Written {
  std::vector<std::string> written, kept;
};

// A file that is filled in by hand is made once, and what people changed in it stays.
Result<Written> write_all(const std::filesystem::path& folder, const deploy::RenderedFiles& files, bool dry_run) {
  Written out;
  for (const deploy::RenderedFile& file : files) {
    const std::filesystem::path path = folder / file.path;
    std::error_code error;
    if (file.once && std::filesystem::exists(path, error)) {
      out.kept.push_back(path.string());
      continue;
    }
    out.written.push_back(path.string());
    if (dry_run) continue;
    TRYV(make_directories(path.parent_path()));
    TRYV(write_file(path, file.content, file.mode));
  }
  return out;
}

Result<> write(Session& session, const std::string& topology_file, const std::string& folder) {
  TRY(const deploy::Topology topology, topology_of(topology_file));
  TRY(const Written done, write_all(folder, deploy::container_files(topology, CC_VERSION), session.dry_run));
  const boost::json::value told{{"dry_run", session.dry_run},
                                {"written", boost::json::array(done.written.begin(), done.written.end())},
                                {"kept", boost::json::array(done.kept.begin(), done.kept.end())}};
  return session.print(told, [&] {
    std::string out;
    for (const std::string& each : done.written)
      out += fmt::format("{} {}\n", session.dry_run ? "would write" : "wrote", each);
    for (const std::string& each : done.kept)
      out += fmt::format("kept  {}, which is filled in by hand\n", each);
    return out;
  });
}

using Make = std::function<std::string(const deploy::Topology&)>;

}  // namespace

void add_container(CLI::App& root, Session& session) {
  CLI::App* group =
      add_command(root, "container", "The installation in containers: image, compose file")->require_subcommand(1);
  group->footer(examples({"config-center container write shop", "config-center container compose -t topology.yaml"}));
  auto topology_file = std::make_shared<std::string>();
  const auto add = [&](const std::string& name, const std::string& meaning,
                       std::initializer_list<std::string_view> how) {
    CLI::App* command = add_command(*group, name, meaning);
    command->add_option("-t,--topology", *topology_file, "What the installation is; without it, one node")
        ->type_name("FILE");
    command->footer(examples(how));
    return command;
  };
  const auto add_printing = [&](CLI::App* command, Make make) {
    on_run(*command, session, [topology_file, make = std::move(make)]() -> Result<> {
      TRY(const deploy::Topology topology, topology_of(*topology_file));
      return write_output(make(topology));
    });
  };
  add_printing(
      add("dockerfile", "Print the Dockerfile, which builds the image in a copy of the source",
          {"config-center container dockerfile > Dockerfile", "config-center container dockerfile -t topology.yaml"}),
      deploy::dockerfile);
  add_printing(
      add("compose", "Print the compose file: every component of the topology",
          {"config-center container compose > compose.yaml", "config-center container compose -t topology.yaml"}),
      deploy::compose_file);
  add_printing(add("env", "Print the .env that the compose file needs: versions, limits, how to make the secrets",
                   {"config-center container env > .env", "config-center container env -t topology.yaml"}),
               [](const deploy::Topology& topology) { return deploy::environment_file(topology, CC_VERSION); });

  auto folder = std::make_shared<std::string>();
  CLI::App* all =
      add("write", "Write all of these, and what the components read, into a folder",
          {"config-center container write shop", "config-center container write shop -t topology.yaml --dry-run"});
  all->add_option("folder", *folder, "Where; what is filled in by hand is kept")->required()->type_name("FOLDER");
  add_dry_run(*all, session);
  on_run(*all, session,
         [&session, topology_file, folder]() -> Result<> { return write(session, *topology_file, *folder); });
}

}  // namespace cc::cli
