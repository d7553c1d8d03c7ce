// How fast the state is, alone: `state_bench [configs] [commands in a transaction]`, on the disk under $TMPDIR. Prints
// one line per figure, in CPU time.
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/file.h"
#include "proto/command.pb.h"
#include "state/queries.h"
#include "state/state.h"

namespace {

using namespace cc;

// CPU time of this process: one thread works, and other programs may share the machine.
double seconds_of(const auto& work) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

template <class T>
T must(Result<T> result) {
  if (result) {
    if constexpr (std::is_void_v<T>) {
      return;
    } else {
      return *std::move(result);
    }
  }
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

log::Command publish(std::size_t number, std::size_t configs) {
  log::Command command;
  command.set_request_id(random_id());
  command.set_time_ms(1'767'225'600'000 + static_cast<std::int64_t>(number));
  command.set_actor("bench");
  command.set_address("127.0.0.1");
  auto& one = *command.mutable_publish_configs()->add_configs();
  one.mutable_key()->set_environment("prod");
  one.mutable_key()->set_application(fmt::format("app-{}", number % configs % 100));
  one.mutable_key()->set_cluster("default");
  one.mutable_key()->set_name(fmt::format("config-{}.yaml", number * 7919 % configs));
  one.set_format("yaml");
  std::string content = fmt::format("number: {}\n", number);
  content.resize(256, '#');
  one.set_md5(md5_hex(content));
  one.set_sha256(sha256_hex(content));
  one.set_content(std::move(content));
  return command;
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t configs = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 100'000;
  const std::size_t batch = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1000;
  const TempDirectory directory;
  const Path file = directory.path() / "state.db";
  auto state = must(state::State::open(file));

  state::Index index = 0;
  log::Command first;
  first.set_time_ms(1);
  first.mutable_initialize_cluster()->set_cluster_id("bench");
  first.mutable_initialize_cluster()->add_environments("prod");
  first.mutable_initialize_cluster()->set_admin_name("admin");
  must(state->apply(++index, first.SerializeAsString()));
  must(state->commit());

  const auto apply_all = [&](std::size_t from, std::size_t to) {
    std::vector<std::string> log;
    for (std::size_t number = from; number < to; ++number)
      log.push_back(publish(number, configs).SerializeAsString());
    const double took = seconds_of([&] {
      for (std::size_t i = 0; i < log.size(); ++i) {
        must(state->apply(++index, log[i]));
        state->take_changes();
        if ((i + 1) % batch == 0) must(state->commit());
      }
      must(state->commit());
    });
    return static_cast<double>(log.size()) / took;
  };
  fmt::print("first publishes of {} configs, 256 bytes, {} in a transaction: {:.0f}/s\n", configs, batch,
             apply_all(0, configs));
  fmt::print("second publishes of the same: {:.0f}/s\n", apply_all(configs, 2 * configs));

  std::size_t loaded = 0;
  fmt::print("load {} releases: {:.3f} s\n", configs,
             seconds_of([&] { must(state->load_releases([&](const ReleasePtr&) { ++loaded; })); }));
  state.reset();
  fmt::print("open: {:.3f} s ({} MB)\n", seconds_of([&] { state = must(state::State::open(file)); }),
             size_of_tree(directory.path()) >> 20);

  std::unique_ptr<state::State::Snapshot> snapshot;
  const Path image = directory.path() / "snapshot";
  fmt::print("begin a snapshot: {:.4f} s\n", seconds_of([&] { snapshot = must(state->begin_snapshot()); }));
  fmt::print("write it: {:.3f} s\n", seconds_of([&] { must(snapshot->write(image)); }));
  fmt::print("restore it: {:.3f} s\n", seconds_of([&] { must(state->restore(image)); }));
  fmt::print("checksum: {:.3f} s\n", seconds_of([&] { must(state->checksum()); }));

  const state::Queries queries(file);
  const auto query = [&](std::string_view what, const auto& ask) {
    must(ask());
    fmt::print("{}: {:.2f} ms\n", what, 1000 * seconds_of([&] { must(ask()); }));
  };
  query("list 100 of an application of one environment",
        [&] { return queries.configs({.environment = "prod", .application = "app-7"}, {}, {}); });
  query("list 100 of an application of any environment",
        [&] { return queries.configs({.application = "app-7"}, {}, {}); });
  query("search content, no hit", [&] { return queries.configs({.text = "nowhere", .in_content = true}, {}, {}); });
  query("history", [&] { return queries.history({"prod", "app-0", "default", "config-0.yaml"}, {}); });
  query("audit, no hit", [&] { return queries.audit({.actor = "nobody"}, {}); });
  query("counts", [&] { return queries.counts(); });
  return 0;
}
