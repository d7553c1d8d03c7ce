#include "node/first_start.h"

#include <future>

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"
#include "identity/password.h"
#include "proto/command.pb.h"

namespace cc::node {
namespace {

constexpr std::size_t kPasswordLength = 20;

}  // namespace

Result<std::optional<std::string>> create_cluster(consensus::Log& log, const Settings& settings, const Clock& clock,
                                                  const char* given) {
  std::optional<std::string> made;
  std::string password = given != nullptr ? given : "";
  if (password.empty()) {
    // Kept before it is proposed: a crash in between must not leave an administrator whom nobody can be.
    const Path file = settings.data_dir / "admin-password";
    if (const auto kept = read_file(file)) {
      password = trim(*kept);
    } else {
      password = random_password(kPasswordLength);
      TRYV(write_file(file, password + "\n", 0600));
    }
    made = password;
  }
  if (auto fine = identity::check_password(password); !fine) {
    return fail(std::move(fine).error().with_context("CONFIG_CENTER_ADMIN_PASSWORD"));
  }

  log::Command command;
  command.set_request_id(random_id());
  command.set_time_ms(clock.wall().time_since_epoch().count());
  command.set_actor("system");
  auto& what = *command.mutable_initialize_cluster();
  what.set_cluster_id(random_id());
  for (const char* environment : {"dev", "staging", "prod"})
    what.add_environments(environment);
  what.set_admin_name("admin");
  TRY(*what.mutable_admin_password_hash(), identity::hash_password(password));

  std::promise<Result<std::string>> answered;
  auto answer = answered.get_future();
  log.propose(command.SerializeAsString(),
              [&answered](Result<std::string> result) { answered.set_value(std::move(result)); });
  TRY(const std::string bytes, answer.get());
  log::Outcome outcome;
  if (!outcome.ParseFromString(bytes)) return fail(Code::internal, "the outcome of the first command cannot be read");
  if (outcome.code() != 0)
    return fail(static_cast<Code>(outcome.code() - 1), "create the cluster: " + outcome.message());
  TRYV(log.settle());
  return made;
}

}  // namespace cc::node
