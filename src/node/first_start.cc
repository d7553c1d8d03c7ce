#include "node/first_start.h"

#include <future>

#include "base/bytes.h"
#include "base/text.h"
#include "identity/password.h"
#include "proto/command.pb.h"

namespace cc::node {
namespace {

constexpr std::size_t kPasswordLength = 20;
constexpr std::chrono::seconds kPatience{30};  // with the log

Path password_file(const Path& data_dir) {
  return data_dir / "admin-password";
}

// There as long as the password was not shown.
Path reminder(const Path& data_dir) {
  return data_dir / "admin-password-to-show";
}

void forget_password(const Path& data_dir) {
  std::error_code error;
  std::filesystem::remove(password_file(data_dir), error);
  password_was_shown(data_dir);
}

// Kept before it is proposed: a crash in between must not leave an administrator whom nobody can be.
Result<std::string> kept_password(const Path& data_dir) {
  if (const auto kept = read_file(password_file(data_dir))) return std::string(trim(*kept));
  std::string made = random_password(kPasswordLength);
  TRYV(write_file(reminder(data_dir), "", 0600));
  TRYV(write_file(password_file(data_dir), made + "\n", 0600));
  return made;
}

}  // namespace

Result<> create_cluster(consensus::Log& log, const Path& data_dir, const Clock& clock, const char* given) {
  std::string password = given != nullptr ? given : "";
  if (password.empty()) {
    TRY(password, kept_password(data_dir));
  } else {
    forget_password(data_dir);  // of a first start that came to nothing
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
  log.propose(command.SerializeAsString(), kPatience,
              [&answered](Result<std::string> result) { answered.set_value(std::move(result)); });
  TRY(const std::string bytes, answer.get());
  log::Outcome outcome;
  if (!outcome.ParseFromString(bytes)) return fail(Code::internal, "the outcome of the first command cannot be read");
  if (outcome.code() != 0)
    return fail(static_cast<Code>(outcome.code() - 1), "create the cluster: " + outcome.message());
  return log.settle();
}

std::optional<std::string> password_to_show(const Path& data_dir) {
  std::error_code error;
  if (!std::filesystem::exists(reminder(data_dir), error)) return std::nullopt;
  const auto kept = read_file(password_file(data_dir));
  if (!kept) return std::nullopt;
  return std::string(trim(*kept));
}

void password_was_shown(const Path& data_dir) {
  std::error_code error;
  std::filesystem::remove(reminder(data_dir), error);
}

}  // namespace cc::node
