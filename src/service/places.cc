#include "service/places.h"

#include <algorithm>

#include <fmt/format.h>

#include "model/quote.h"
#include "proto/command.pb.h"
#include "service/administer.h"
#include "service/on_worker.h"

namespace cc::service {
namespace {

std::string path_of(const Cluster& cluster) {
  return fmt::format("{}/{}/{}", cluster.environment, cluster.application, cluster.name);
}
std::string path_of(const ClusterName& cluster) {
  return fmt::format("{}/{}/{}", cluster.environment, cluster.application, cluster.name);
}

Task<Result<std::vector<Environment>>> environments_of(Context& context, const Call& call) {
  return ask(context, call, Work::question, [](const state::Queries& queries) { return queries.environments(); });
}

Task<Result<std::optional<Environment>>> find_environment(Context& context, const Call& call, const std::string& name) {
  CO_TRY(const auto all, co_await environments_of(context, call));
  const auto at = std::ranges::find(all, name, &Environment::name);
  co_return at == all.end() ? std::nullopt : std::optional(*at);
}

Task<Result<std::optional<Application>>> find_application(Context& context, const Call& call, const std::string& name) {
  auto found = co_await ask(context, call, Work::question,
                            [&](const state::Queries& queries) { return queries.application(name); });
  if (found) co_return *std::move(found);
  if (found.error().code == Code::not_found) co_return std::nullopt;
  co_return fail(std::move(found).error());
}

Task<Result<std::optional<Cluster>>> find_cluster(Context& context, const Call& call, const ClusterName& cluster) {
  CO_TRY(const auto all, co_await ask(context, call, Work::question, [&](const state::Queries& queries) {
           return queries.clusters(cluster.environment, cluster.application);
         }));
  const auto at = std::ranges::find(all, cluster.name, &Cluster::name);
  co_return at == all.end() ? std::nullopt : std::optional(*at);
}

Result<> check_cluster(const ClusterName& cluster, const Limits& limits) {
  TRYV(check_name(cluster.environment, "environment", limits.name));
  TRYV(check_name(cluster.application, "application", limits.name));
  return check_name(cluster.name, "cluster", limits.name);
}

// A new application needs permission for the department that it will belong to.
Result<> authorise_application(Context& context, const Call& call, const std::string& name,
                               const std::string& department, bool may_be_new) {
  if (may_be_new && call.caller->may_throughout(Permission::manage_applications,
                                                {.environment = {}, .application = name, .department = department})) {
    return {};
  }
  return authorise(context, call, Permission::manage_applications, "application.put", name, "", name);
}

// Lists are for everyone who is logged in, since they show what the caller may read, if only nothing; for the anonymous
// caller when it may read.
Result<> authorise_list(Context& context, const Call& call, std::string_view action) {
  if (call.caller->kind != identity::Caller::Kind::anonymous || call.caller->may(Permission::read)) return {};
  return authorise(context, call, Permission::read, action, "");
}

}  // namespace

Task<Result<state::Page<Environment>>> list_environments(Context& context, const Call& call, state::PageRequest page) {
  CO_TRYV(authorise_list(context, call, "environment.list"));
  CO_TRY(auto all, co_await environments_of(context, call));
  std::erase_if(all, [&](const Environment& one) { return !call.caller->may_somewhere(Permission::read, one.name); });
  co_return page_by_name(std::move(all), page, [](const Environment& one) { return one.name; });
}

Task<Result<Environment>> read_environment(Context& context, const Call& call, std::string name) {
  if (!call.caller->may_somewhere(Permission::read, name))
    CO_TRYV(authorise(context, call, Permission::read, "environment.read", name, name));
  CO_TRY(const auto found, co_await find_environment(context, call, name));
  if (!found) co_return fail(Code::not_found, fmt::format("there is no environment {}", cc::quoted(name)));
  co_return *found;
}

// The answers of these three are what stands there now; when somebody has deleted it since, or it cannot be asked in
// the time that is left, what was put: the change was made.

Task<Result<Put<Environment>>> put_environment(Context& context, const Call& call, EnvironmentChange change) {
  CO_TRYV(authorise(context, call, Permission::manage_environments, "environment.put", change.name, change.name));
  CO_TRY(const auto there, co_await find_environment(context, call, change.name));
  CO_TRYV(check_name(change.name, "environment", context.limits.name));
  log::Command command;
  auto& what = *command.mutable_put_environment();
  what.set_name(change.name);
  what.set_description(change.description.value_or(there ? there->description : ""));
  CO_TRYV(check_length(context.limits, what.description(), "description"));
  const Environment made{
      .name = change.name, .description = what.description(), .created = there ? there->created : context.clock.wall()};
  CO_TRY(const Done done, co_await propose_done(context, call, std::move(command)));
  const auto now = co_await find_environment(context, call, change.name);
  co_return Put<Environment>{
      .item = now ? now->value_or(made) : made, .created = done.created, .repeated = done.repeated};
}

Task<Result<Done>> delete_environment(Context& context, const Call& call, std::string name) {
  CO_TRYV(authorise(context, call, Permission::manage_environments, "environment.delete", name, name));
  log::Command command;
  command.mutable_delete_environment()->set_name(name);
  co_return co_await propose_done(context, call, std::move(command));
}

Task<Result<state::Page<Application>>> list_applications(Context& context, const Call& call, state::PageRequest page) {
  CO_TRYV(authorise_list(context, call, "application.list"));
  CO_TRY(auto all, co_await ask(context, call, Work::search,
                                [&](const state::Queries& queries) { return queries.applications(page); }));
  std::erase_if(all.items,
                [&](const Application& one) { return !call.caller->may_somewhere(Permission::read, "", one.name); });
  co_return all;
}

Task<Result<Application>> read_application(Context& context, const Call& call, std::string name) {
  if (!call.caller->may_somewhere(Permission::read, "", name))
    CO_TRYV(authorise(context, call, Permission::read, "application.read", name, "", name));
  CO_TRY(const auto found, co_await find_application(context, call, name));
  if (!found) co_return fail(Code::not_found, fmt::format("there is no application {}", cc::quoted(name)));
  co_return *found;
}

Task<Result<Put<Application>>> put_application(Context& context, const Call& call, ApplicationChange change) {
  // Asked of everyone before SQL is, and of who may not change it once more when it is known whether it is new.
  CO_TRYV(authorise_application(context, call, change.name, change.department.value_or(""), true));
  CO_TRY(const auto there, co_await find_application(context, call, change.name));
  const Application before = there.value_or(Application{});
  log::Command command;
  auto& what = *command.mutable_put_application();
  what.set_name(change.name);
  what.set_department(change.department.value_or(before.department));
  what.set_owner(change.owner.value_or(before.owner));
  what.set_description(change.description.value_or(before.description));
  CO_TRYV(authorise_application(context, call, change.name, what.department(), !there));
  CO_TRYV(check_name(change.name, "application", context.limits.name));
  if (!what.department().empty()) CO_TRYV(check_name(what.department(), "department", context.limits.name));
  CO_TRYV(check_length(context.limits, what.owner(), "owner"));
  CO_TRYV(check_length(context.limits, what.description(), "description"));
  const Application made{.name = change.name,
                         .department = what.department(),
                         .owner = what.owner(),
                         .description = what.description(),
                         .created = there ? there->created : context.clock.wall()};
  CO_TRY(const Done done, co_await propose_done(context, call, std::move(command)));
  const auto now = co_await find_application(context, call, change.name);
  co_return Put<Application>{
      .item = now ? now->value_or(made) : made, .created = done.created, .repeated = done.repeated};
}

Task<Result<Done>> delete_application(Context& context, const Call& call, std::string name) {
  CO_TRYV(authorise(context, call, Permission::manage_applications, "application.delete", name, "", name));
  log::Command command;
  command.mutable_delete_application()->set_name(name);
  co_return co_await propose_done(context, call, std::move(command));
}

Task<Result<state::Page<Cluster>>> list_clusters(Context& context, const Call& call, std::string environment,
                                                 std::string application, state::PageRequest page) {
  CO_TRYV(authorise_list(context, call, "cluster.list"));
  CO_TRY(auto all, co_await ask(context, call, Work::search, [&](const state::Queries& queries) {
           return queries.clusters(environment, application);
         }));
  std::erase_if(all, [&](const Cluster& one) {
    return !call.caller->may_somewhere(Permission::read, one.environment, one.application);
  });
  co_return page_by_name(std::move(all), page, [](const Cluster& one) { return path_of(one); });
}

Task<Result<Put<Cluster>>> put_cluster(Context& context, const Call& call, ClusterName cluster,
                                       std::optional<std::string> description) {
  CO_TRYV(authorise(context, call, Permission::manage_applications, "cluster.put", path_of(cluster),
                    cluster.environment, cluster.application));
  CO_TRY(const auto there, co_await find_cluster(context, call, cluster));
  CO_TRYV(check_cluster(cluster, context.limits));
  log::Command command;
  auto& what = *command.mutable_put_cluster();
  what.set_environment(cluster.environment);
  what.set_application(cluster.application);
  what.set_name(cluster.name);
  what.set_description(description.value_or(there ? there->description : ""));
  CO_TRYV(check_length(context.limits, what.description(), "description"));
  const Cluster made{.environment = cluster.environment,
                     .application = cluster.application,
                     .name = cluster.name,
                     .description = what.description(),
                     .created = there ? there->created : context.clock.wall()};
  CO_TRY(const Done done, co_await propose_done(context, call, std::move(command)));
  const auto now = co_await find_cluster(context, call, cluster);
  co_return Put<Cluster>{.item = now ? now->value_or(made) : made, .created = done.created, .repeated = done.repeated};
}

Task<Result<Done>> delete_cluster(Context& context, const Call& call, ClusterName cluster) {
  CO_TRYV(authorise(context, call, Permission::manage_applications, "cluster.delete", path_of(cluster),
                    cluster.environment, cluster.application));
  log::Command command;
  auto& what = *command.mutable_delete_cluster();
  what.set_environment(cluster.environment);
  what.set_application(cluster.application);
  what.set_name(cluster.name);
  co_return co_await propose_done(context, call, std::move(command));
}

}  // namespace cc::service
