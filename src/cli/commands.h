// Every command: each adds itself, its options and its examples to the command above it, and runs what it does
// through the session. One file per command.
#pragma once

namespace CLI {
class App;
}

namespace cc::cli {

class Session;

void add_serve(CLI::App& root, Session& session);
void add_config(CLI::App& root, Session& session);
void add_version(CLI::App& root, Session& session);
void add_health(CLI::App& root, Session& session);

void add_login(CLI::App& root, Session& session);
void add_logout(CLI::App& root, Session& session);
void add_whoami(CLI::App& root, Session& session);

void add_publish(CLI::App& root, Session& session);
void add_get(CLI::App& root, Session& session);
void add_draft(CLI::App& root, Session& session);
void add_diff(CLI::App& root, Session& session);
void add_history(CLI::App& root, Session& session);
void add_rollback(CLI::App& root, Session& session);
void add_watch(CLI::App& root, Session& session);
void add_list(CLI::App& root, Session& session);
void add_delete(CLI::App& root, Session& session);
void add_export(CLI::App& root, Session& session);
void add_import(CLI::App& root, Session& session);

void add_env(CLI::App& root, Session& session);
void add_app(CLI::App& root, Session& session);
void add_app_cluster(CLI::App& app, Session& session);
void add_user(CLI::App& root, Session& session);
void add_role(CLI::App& root, Session& session);
void add_key(CLI::App& root, Session& session);
void add_audit(CLI::App& root, Session& session);
void add_cluster(CLI::App& root, Session& session);
void add_cluster_status(CLI::App& group, Session& session);
void add_cluster_changes(CLI::App& group, Session& session);
void add_cluster_recover(CLI::App& group, Session& session);
void add_edge(CLI::App& root, Session& session);

void add_archive(CLI::App& root, Session& session);
void add_backup(CLI::App& root, Session& session);
void add_restore(CLI::App& root, Session& session);

void add_playground(CLI::App& root, Session& session);
void add_container(CLI::App& root, Session& session);
void add_monitoring(CLI::App& root, Session& session);
void add_monitoring_check(CLI::App& group, Session& session);
void add_monitoring_routes(CLI::App& group, Session& session);
void add_monitoring_test_alert(CLI::App& group, Session& session);
void add_topology(CLI::App& root, Session& session);
void add_check_environment(CLI::App& root, Session& session);
void add_plan(CLI::App& root, Session& session);
void add_deploy(CLI::App& root, Session& session);
void add_verify(CLI::App& root, Session& session);
void add_deployment(CLI::App& root, Session& session);
void add_services(CLI::App& root, Session& session);  // status, start, stop, restart, logs
void add_scale(CLI::App& root, Session& session);
void add_failover(CLI::App& root, Session& session);
void add_maintenance(CLI::App& root, Session& session);
void add_hosts(CLI::App& root, Session& session);  // exec, diagnose, destroy

void add_completion(CLI::App& root, Session& session);
void add_bench(CLI::App& root, Session& session);
void add_bench_read(CLI::App& bench, Session& session);
void add_bench_publish(CLI::App& bench, Session& session);
void add_bench_watch(CLI::App& bench, Session& session);

}  // namespace cc::cli
