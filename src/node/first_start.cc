#include "node/first_start.h"

#include "base/bytes.h"
#include "base/text.h"
#include "identity/password.h"
#include "node/log_answer.h"
#include "proto/command.pb.h"

namespace cc::node {
namespace {

constexpr std::size_t kPasswordLength = 20;
constexpr std::chrono::seconds kPatience{30};  // with the log

Path password_file(const Path& data_dir) {
  return data_dir / "admin-password";
}

// There as long as the password was not shown. Holds the id of the cluster that the password is of.
Path reminder(const Path& data_dir) {
  return data_dir / "admin-password-to-show";
}

void forget_password(const Path& data_dir) {
  std::error_code error;
  std::filesystem::remove(password_file(data_dir), error);
  password_was_shown(data_dir);
}

struct Kept {
  std::string cluster_id, password;
};
// Kept before it is proposed: a crash in between must not leave an administrator whom nobody can be. The next try is of
// the same cluster with the same password.
Result<Kept> keep_password(const Path& data_dir) {
  const auto id = read_file(reminder(data_dir));
  const auto password = read_file(password_file(data_dir));
  if (id && password && !trim(*id).empty())
    return Kept{.cluster_id = std::string(trim(*id)), .password = std::string(trim(*password))};
  Kept made{.cluster_id = random_id(), .password = random_password(kPasswordLength)};
  TRYV(write_file(reminder(data_dir), made.cluster_id + "\n", 0600));
  TRYV(write_file(password_file(data_dir), made.password + "\n", 0600));
  return made;
}

Result<> propose(const FirstStart& start, const Kept& first, const std::stop_token& stop) {
  log::Command command;
  command.set_request_id(random_id());
  command.set_time_ms(start.clock.wall().time_since_epoch().count());
  command.set_actor("system");
  auto& what = *command.mutable_initialize_cluster();
  what.set_cluster_id(first.cluster_id);
  for (const char* environment : {"dev", "staging", "prod"})
    what.add_environments(environment);
  what.set_admin_name("admin");
  TRY(*what.mutable_admin_password_hash(), identity::hash_password(first.password));

  LogAnswer<std::string> answer;
  start.log.propose(command.SerializeAsString(), kPatience, answer.taker());
  TRY(const std::string bytes, answer.get(stop));
  log::Outcome outcome;
  if (!outcome.ParseFromString(bytes)) return fail(Code::internal, "the outcome of the first command cannot be read");
  if (outcome.code() == 0) return {};
  const auto code = static_cast<Code>(outcome.code() - 1);
  if (code == Code::already_exists) return {};  // somebody else has made it
  return fail(code, "create the cluster: " + outcome.message());
}

}  // namespace

Result<> create_cluster(const FirstStart& start, const std::stop_token& stop) {
  // What earlier leaders did first.
  LogAnswer<void> delivered;
  start.log.read_barrier(kPatience, delivered.taker());
  TRYV(delivered.get(stop));
  if (!start.cluster_id().empty()) return {};

  Kept first{.cluster_id = random_id(), .password = start.given_password != nullptr ? start.given_password : ""};
  if (first.password.empty()) {
    TRY(first, keep_password(start.data_dir));
  } else {
    forget_password(start.data_dir);  // of a first start that came to nothing
  }
  if (auto fine = identity::check_password(first.password); !fine) {
    return fail(std::move(fine).error().with_context("CONFIG_CENTER_ADMIN_PASSWORD"));
  }
  auto made = propose(start, first, stop);
  // The cluster may have come from somebody else while the password was written down.
  if (const std::string id = start.cluster_id(); !id.empty()) forget_other_password(start.data_dir, id);
  return made;
}

void forget_other_password(const Path& data_dir, std::string_view cluster_id) {
  const auto kept_for = read_file(reminder(data_dir));
  if (kept_for && trim(*kept_for) != cluster_id) forget_password(data_dir);
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
