#include "deploy/stages.h"

#include <iterator>
#include <ranges>

#include <fmt/format.h>

#include "deploy/app.h"
#include "deploy/database.h"
#include "deploy/file_step.h"
#include "deploy/install.h"
#include "deploy/membership.h"
#include "deploy/monitoring.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

Stage configure_stage(const Wish& wish) {
  Stage stage{.name = "configure"};
  for (const Host& host : wish.topology.hosts) {
    for (RenderedFile& file : files_of(wish.topology, wish.secrets, host)) {
      // The release that shall read it judges it, and not the one that runs.
      if (const auto at = file.validator.find(kCurrentRelease); at != std::string::npos)
        file.validator.replace(at, kCurrentRelease.size(), wish.release.folder());
      stage.steps.push_back(file_step(host.name, file, wish.secrets, wish.run, wish.overwrite));
    }
  }
  return stage;
}

// Services that ran here once and belong here no more: nodes, or all others.
Stage no_longer_stage(const Wish& wish, bool nodes) {
  Stage stage{.name = nodes ? "nodes no longer" : "no longer"};
  const std::vector<Service> services = services_of(wish.topology, wish.secrets);
  for (const Host& host : wish.topology.hosts) {
    std::string own;
    for (const Service& service : services)
      if (service.host == host.name) own += " " + service.unit;
    const std::string find = fmt::format(
        "stale=; for each in $(ls {}/started 2>/dev/null | grep {} {}); do case \"{} \" in *\" $each \"*) ;; *) "
        "stale=\"$stale "
        "$each\" ;; "
        "esac; done\n",
        kKept, nodes ? "-x" : "-vx", kAppUnit, own);
    stage.steps.push_back(
        {.host = host.name,
         .name = nodes ? "a node that is here no longer" : "services that are here no longer",
         .check = find + "[ -z \"$stale\" ] && exit 0\necho \"are stopped:$stale; their data stay\"; exit 1\n",
         // A node that comes back later is another one, with nothing of this one's.
         .action = find + fmt::format("for each in $stale; do systemctl disable --now --quiet $each; rm -f "
                                      "{}/started/$each\n"
                                      "  if [ $each = {} ] && [ -e {} ]; then mv {} {}.left-$(date +%s); fi\ndone\n",
                                      kKept, kAppUnit, wish.topology.app.data_dir, wish.topology.app.data_dir,
                                      wish.topology.app.data_dir),
         .undo = ""});
  }
  return stage;
}

bool is_replica(const Topology& topology, const Service& service) {
  return (service.component == "database" && service.host != topology.database->primary) ||
         (service.component == "cache" && service.host != topology.cache->primary);
}

Step only_if_inactive(Step step, std::string_view unit) {
  step.check = fmt::format("systemctl is-active --quiet {} && exit 0\n{}", unit, step.check);
  return step;
}

Step only_if_active(Step step, std::string_view unit) {
  step.check = fmt::format("systemctl is-active --quiet {} || exit 0\n{}", unit, step.check);
  return step;
}

Step running_step_of(const Wish& wish, const Service& service) {
  const bool node = service.component == "app";
  Step step = running_step(service, files_of(wish.topology, wish.secrets, wish.topology.host(service.host)),
                           node ? wish.release.name : "", wish.run);
  if (!node) return step;
  step.action = choose_release(wish.release, wish.run) + step.action;
  step.undo += choose_release_before(wish.run);
  return step;
}

// Which services are started together, by the name of their stage.
std::string stage_name(const Topology& topology, const Service& service) {
  return is_replica(topology, service) ? service.component + " replicas" : service.component;
}

void append(Stages& stages, Stages more) {
  stages.insert(stages.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// Stages by their names, of services in their order.
template <class Make>
Stages staged(const Topology& topology, const std::vector<Service>& services, const Make& make) {
  Stages stages;
  for (const Service& service : services) {
    const std::string name = stage_name(topology, service);
    if (stages.empty() || stages.back().name != name) stages.push_back({.name = name});
    stages.back().steps.push_back(make(service));
  }
  return stages;
}

}  // namespace

Stages stages_to_start(const Wish& wish, const std::vector<Service>& services) {
  return staged(wish.topology, services,
                [&](const Service& service) { return only_if_inactive(running_step_of(wish, service), service.unit); });
}

Stages stages_to_stop(const std::vector<Service>& services) {
  Stages stages;
  for (const Service& service : std::views::reverse(services)) {
    if (stages.empty() || stages.back().name != service.component) stages.push_back({.name = service.component});
    stages.back().steps.push_back(stopped_step(service));
  }
  return stages;
}

Stages stages_to_restart(const Wish& wish, const std::vector<Service>& services) {
  Stages stages = staged(wish.topology, services, [&](const Service& service) {
    Step step = running_step_of(wish, service);
    const std::string done = fmt::format("{}/restarted-{}", wish.run.kept(), service.unit);
    step.check = fmt::format("[ -e {} ] && exit 0\necho 'is restarted'; exit 1\n", done);
    step.action += fmt::format("touch {}\n", done);
    return step;
  });
  for (Stage& stage : stages) {
    stage.one_host_after_the_other = true;
    if (stage.name == "app") stage.comes_last = leads(wish.topology.app);
  }
  return stages;
}

Stages stages_to_reload(const Wish& wish, const std::vector<Service>& services) {
  Stages stages;
  for (const Service& service : services) {
    if (auto step = reloaded_step(service, wish.run))
      stages.push_back({.name = service.component, .steps = {*std::move(step)}});
  }
  return stages;
}

Stages stages_of(const Wish& wish) {
  const Topology& topology = wish.topology;
  Stages stages;
  Stages restore;  // between the configuration and the start of the nodes
  if (wish.backup) stages.push_back(backup_stage(topology, wish.run));
  if (wish.data) {
    RestoreStages parts = stages_to_restore(topology, *wish.data, wish.release, wish.run, wish.work);
    append(stages, std::move(parts.before));
    restore = std::move(parts.after);
  }
  append(stages, {install_stage(topology), release_stage(topology, wish.release), configure_stage(wish)});
  // A replica must be gone before its slot is; nodes go last, when the group has let them go.
  stages.push_back(no_longer_stage(wish, false));
  const auto running = [&](const Service& service) { return running_step_of(wish, service); };
  for (Stage& stage : staged(topology, services_of(topology, wish.secrets), running)) {
    if (stage.name == "database replicas") {
      Stage copies{.name = "database copies"};
      for (const std::string& replica : topology.database->replicas)
        copies.steps.push_back(copy_step(topology, topology.host(replica)));
      stages.push_back(std::move(copies));
    }
    const bool nodes = stage.name == "app", primary = stage.name == "database";
    if (nodes && wish.data) {
      append(stages, std::move(restore));  // to a new group of all nodes, which none of them has to join
    } else if (nodes) {
      stages.push_back(joining_stage(topology));
    }
    stages.push_back(std::move(stage));
    if (primary) stages.push_back({.name = "database roles", .steps = {roles_step(topology, wish.secrets)}});
    if (!nodes) continue;
    // Before the first node is up there is nothing to interrupt, and they wait for each other. Later it is one node
    // after the other, each once the one before it is ready: nobody notices.
    Stage rolling{
        .name = "app, one after the other", .one_host_after_the_other = true, .comes_last = leads(topology.app)};
    for (Step& step : stages.back().steps) {
      rolling.steps.push_back(only_if_active(step, kAppUnit));
      step = only_if_inactive(std::move(step), kAppUnit);
    }
    stages.push_back(std::move(rolling));
  }
  stages.push_back(leaving_stage(topology));
  stages.push_back(no_longer_stage(wish, true));
  return stages;
}

}  // namespace cc::deploy
