#include "service/places.h"

#include <algorithm>

#include <fmt/format.h>

#include "model/quote.h"
#include "proto/command.pb.h"
#include "service/administer.h"
#include "service/content.h"
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

// For who may not change the application: who administers the department that it is to belong to may make it, and takes
// none from others.
Task<Result<>> authorise_new_application(Context& context, const Call& call, const log::PutApplication& what) {
  if (call.caller->may_throughout(Permission::manage_applications,
                                  {.environment = {}, .application = what.name(), .department = what.department()})) {
    CO_TRY(const auto there, co_await find_application(context, call, what.name()));
    if (!there) co_return Result<>();
  }
  co_return authorise(context, call, Permission::manage_applications, "application.put", what.name(), "", what.name());
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
  CO_TRY(const auto all, co_await environments_of(context, call));
  co_return page_by_name(
      all, page, [](const Environment& one) -> const std::string& { return one.name; },
      [&](const Environment& one) { return call.caller->may_somewhere(Permission::read, one.name); });
}

Task<Result<Environment>> read_environment(Context& context, const Call& call, std::string name) {
  if (!call.caller->may_somewhere(Permission::read, name))
    CO_TRYV(authorise(context, call, Permission::read, "environment.read", name, name));
  CO_TRY(const auto found, co_await find_environment(context, call, name));
  if (!found) co_return fail(Code::not_found, fmt::format("there is no environment {}", cc::quoted(name)));
  co_return *found;
}

// The answers of these three are what stands there now; when somebody has deleted it since, or it cannot be asked in
// the time that is left, what was given: the change was made.

Task<Result<Put<Environment>>> put_environment(Context& context, const Call& call, EnvironmentChange change) {
  CO_TRYV(authorise(context, call, Permission::manage_environments, "environment.put", change.name, change.name));
  CO_TRYV(check_name(change.name, "environment", context.limits.name));
  if (change.description) CO_TRYV(check_text(context.limits, *change.description, "description"));
  log::Command command;
  auto& what = *command.mutable_put_environment();
  what.set_name(change.name);
  if (change.description) what.set_description(*change.description);
  const Environment given{.name = change.name, .description = what.description(), .created = context.clock.wall()};
  CO_TRY(const Done done, co_await propose_done(context, call, std::move(command)));
  const auto now = co_await find_environment(context, call, change.name);
  co_return Put<Environment>{
      .item = now ? now->value_or(given) : given, .created = done.created, .repeated = done.repeated};
}

Task<Result<Done>> delete_environment(Context& context, const Call& call, std::string name) {
  CO_TRYV(authorise(context, call, Permission::manage_environments, "environment.delete", name, name));
  CO_TRYV(check_name(name, "environment", context.limits.name));
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
  log::Command command;
  auto& what = *command.mutable_put_application();
  what.set_name(change.name);
  if (change.department) what.set_department(*change.department);
  if (change.owner) what.set_owner(*change.owner);
  if (change.description) what.set_description(*change.description);
  if (!call.caller->may(Permission::manage_applications, "", change.name)) {
    CO_TRYV(co_await authorise_new_application(context, call, what));
    what.set_create_only(true);  // somebody else may make it before this is committed
  }
  CO_TRYV(check_name(change.name, "application", context.limits.name));
  if (!what.department().empty()) CO_TRYV(check_name(what.department(), "department", context.limits.name));
  CO_TRYV(check_text(context.limits, what.owner(), "owner"));
  if (change.owner) CO_TRYV(check_label(*change.owner, "owner"));
  CO_TRYV(check_text(context.limits, what.description(), "description"));
  const Application given{.name = change.name,
                          .department = what.department(),
                          .owner = what.owner(),
                          .description = what.description(),
                          .created = context.clock.wall()};
  CO_TRY(const Done done, co_await propose_done(context, call, std::move(command)));
  const auto now = co_await find_application(context, call, change.name);
  co_return Put<Application>{
      .item = now ? now->value_or(given) : given, .created = done.created, .repeated = done.repeated};
}

Task<Result<Done>> delete_application(Context& context, const Call& call, std::string name) {
  CO_TRYV(authorise(context, call, Permission::manage_applications, "application.delete", name, "", name));
  CO_TRYV(check_name(name, "application", context.limits.name));
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
  const auto name_of = [](const Cluster& one) { return path_of(one); };
  std::ranges::sort(all, {}, name_of);
  co_return page_by_name(all, page, name_of, [&](const Cluster& one) {
    return call.caller->may_somewhere(Permission::read, one.environment, one.application);
  });
}

Task<Result<Put<Cluster>>> put_cluster(Context& context, const Call& call, ClusterName cluster,
                                       std::optional<std::string> description) {
  CO_TRYV(authorise(context, call, Permission::manage_applications, "cluster.put", path_of(cluster),
                    cluster.environment, cluster.application));
  CO_TRYV(check_cluster(cluster, context.limits));
  if (description) CO_TRYV(check_text(context.limits, *description, "description"));
  log::Command command;
  auto& what = *command.mutable_put_cluster();
  what.set_environment(cluster.environment);
  what.set_application(cluster.application);
  what.set_name(cluster.name);
  if (description) what.set_description(*description);
  const Cluster given{.environment = cluster.environment,
                      .application = cluster.application,
                      .name = cluster.name,
                      .description = what.description(),
                      .created = context.clock.wall()};
  CO_TRY(const Done done, co_await propose_done(context, call, std::move(command)));
  const auto now = co_await find_cluster(context, call, cluster);
  co_return Put<Cluster>{
      .item = now ? now->value_or(given) : given, .created = done.created, .repeated = done.repeated};
}

Task<Result<Done>> delete_cluster(Context& context, const Call& call, ClusterName cluster) {
  CO_TRYV(authorise(context, call, Permission::manage_applications, "cluster.delete", path_of(cluster),
                    cluster.environment, cluster.application));
  CO_TRYV(check_cluster(cluster, context.limits));
  log::Command command;
  auto& what = *command.mutable_delete_cluster();
  what.set_environment(cluster.environment);
  what.set_application(cluster.application);
  what.set_name(cluster.name);
  co_return co_await propose_done(context, call, std::move(command));
}

}  // namespace cc::service
