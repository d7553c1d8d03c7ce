#include "service/test_node.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "base/bytes.h"
#include "base/log.h"
#include "identity/token.h"
#include "service/directory.h"

namespace cc::service {
namespace {

constexpr auto kSecret = "a secret that is long enough for tests";

}  // namespace

TestMachine::Applied TestMachine::applied() const {
  const auto at = state_.position();
  return {.index = at.applied, .crc = at.applied_crc};
}

Result<std::string> TestMachine::apply(consensus::Index index, std::string_view command) {
  return state_.apply(index, command);
}

Result<> TestMachine::deliver(std::move_only_function<void()> then) {
  state::Changes changes = state_.take_changes();
  std::optional<state::Identity> identity;
  if (changes.identity) {
    TRY(identity, state_.identity());
  }
  const std::lock_guard lock(mutex_);
  if (!told_) {
    if (then) then();
    return {};
  }
  std::move_only_function<void()> message = [this, changes = std::move(changes), identity = std::move(identity),
                                             then = std::move(then)]() mutable {
    told_(std::move(changes), std::move(identity));
    if (then) then();
  };
  if (held_) {
    waiting_.push_back(std::move(message));
  } else {
    asio::post(io_, std::move(message));
  }
  return {};
}

void TestMachine::release() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  for (auto& one : waiting_)
    asio::post(io_, std::move(one));
  waiting_.clear();
}

consensus::Status TestGroup::status() const {
  consensus::Status status = own_->status();
  if (without_leader) {
    status.role = consensus::Role::candidate;
    status.leader_id = 0;
    status.stale = true;
  }
  if (pretend) pretend(status);
  return status;
}

void TestGroup::read_barrier(consensus::Log::Patience patience, consensus::Log::Then then) {
  if (hold_barriers) {
    barriers.push_back(std::move(then));
  } else if (without_leader) {
    then(fail(Code::unavailable, "there is no leader"));
  } else {
    own_->read_barrier(patience, std::move(then));
  }
}

void TestGroup::change(consensus::Change change, consensus::Log::Patience, consensus::Log::Then then) {
  auto done = refuse(change);
  changes.push_back(std::move(change));
  then(std::move(done));
}

TestNode::TestNode() {
  set_log_level(LogLevel::warn);
  state_ = state::State::open(directory_.path() / "state.db").value();
  machine_ = std::make_unique<TestMachine>(*state_, io_);
  log_ = consensus::Log::open({.directory = directory_.path() / "raft", .min_free_disk = 0}, *machine_).value();
  queries_ = std::make_unique<state::Queries>(directory_.path() / "state.db", Workers::kQuestions + Workers::kSearches,
                                              [this](auto patience) { return log_->settle(patience); });
  audit_ = std::make_unique<AuditTrail>(*log_, clock_, std::chrono::milliseconds(1));
  context_.emplace(Context{.io = io_,
                           .clock = clock_,
                           .view = view_,
                           .directory = make_directory({}, kSecret, false),
                           .log = *log_,
                           .queries = *queries_,
                           .workers = workers_,
                           .lockout = lockout_,
                           .audit = *audit_,
                           .limits = {},
                           .jwt_secret = kSecret});
  auto group = std::make_unique<TestGroup>(*log_);
  group_ = group.get();
  context_->group = std::move(group);
  machine_->go_live([this](state::Changes changes, std::optional<state::Identity> identity) {
    if (identity) {
      replace_directory(*context_, make_directory(*std::move(identity), kSecret, false, context_->directory));
    } else if (!changes.revoked_tokens.empty()) {
      revoke_tokens(*context_, make_revoked(changes.revoked_tokens));
    }
    view_.update(changes.events, changes.revision);
  });
  log::Command command;
  auto& what = *command.mutable_initialize_cluster();
  what.set_cluster_id("test");
  what.add_environments("dev");
  what.add_environments("prod");
  what.set_admin_name("admin");
  what.set_admin_password_hash("none");
  must(std::move(command));
}

TestNode::~TestNode() {
  machine_->release();
  stop_waiting(*context_);
  settle();
  workers_.join();
  // While the log may answer, there must be somebody to take it.
  auto ended = std::make_shared<std::atomic<bool>>(false);
  std::thread end([this, ended] {
    audit_.reset();
    log_.reset();
    *ended = true;
    asio::post(io_, [] {});
  });
  while (!*ended)
    io_.run_one_for(std::chrono::milliseconds(10));
  end.join();
  settle();
}

void TestNode::until(const std::function<bool()>& done) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("what the test waits for does not come");
    io_.run_one_for(std::chrono::milliseconds(50));
  }
}

void TestNode::settle() {
  while (io_.poll() > 0) {
  }
}

log::Outcome TestNode::must(log::Command command) {
  auto outcome = run(propose(*context_, system(), std::move(command)));
  if (!outcome) throw std::runtime_error(outcome.error().message);
  return *std::move(outcome);
}

Call TestNode::system() {
  return call_of(std::make_shared<const identity::Caller>(
      identity::Caller{.kind = identity::Caller::Kind::system, .name = "system"}));
}

void TestNode::user(const std::string& name, const std::vector<Grant>& grants) {
  log::Command put;
  put.mutable_put_user()->set_name(name);
  put.mutable_put_user()->set_password_hash("none");
  must(std::move(put));
  for (const Grant& one : grants)
    grant(name, one);
}

void TestNode::grant(const std::string& name, const Grant& grant, bool revoke) {
  log::Command command;
  auto& change = *command.mutable_change_grant();
  change.set_user(name);
  change.set_role(std::string(to_string(grant.role)));
  change.mutable_scope()->set_environment(grant.scope.environment);
  change.mutable_scope()->set_application(grant.scope.application);
  change.mutable_scope()->set_department(grant.scope.department);
  change.set_revoke(revoke);
  must(std::move(command));
}

std::string TestNode::token(const std::string& name, std::chrono::milliseconds lives) {
  last_token_ = random_id();
  const User* user = context_->directory->find_user(name);
  return "Bearer " + identity::issue_token({.user = name,
                                            .token_id = last_token_,
                                            .epoch = user != nullptr ? user->token_epoch : 0,
                                            .issued = clock_.wall(),
                                            .expires = clock_.wall() + lives},
                                           kSecret);
}

Call TestNode::as(const std::string& authorization) {
  auto session = context_->sessions.open(context_->directory, authorization, "10.0.0.1", clock_.wall());
  if (!session) throw std::runtime_error(session.error().message);
  Call call = call_of((*session)->caller(context_->directory, clock_.wall()).value());
  call.session = *session;
  return call;
}

std::vector<AuditRecord> TestNode::audited(const state::AuditFilter& filter) {
  std::atomic<bool> flushed = false;
  std::thread flushing([&] {
    audit_->flush();
    flushed = true;
  });
  until([&] { return flushed.load(); });
  flushing.join();
  return queries_->audit(filter, {.limit = 1000}).value().items;
}

Call TestNode::call_of(identity::CallerPtr caller) {
  return {.caller = std::move(caller),
          .address = "10.0.0.1",
          .request_id = random_id(),
          .deadline = clock_.now() + std::chrono::seconds(30)};
}

void TestNode::Spawned::wait() {
  node_.until([this] { return ended_; });
  if (exception_) std::rethrow_exception(exception_);
}

void TestNode::spawn(std::shared_ptr<Spawned> spawned, Task<> task) {
  auto slot = spawned->signal_.slot();
  asio::co_spawn(
      io_, std::move(task),
      asio::bind_cancellation_slot(slot, [spawned = std::move(spawned)](const std::exception_ptr& exception) {
        spawned->exception_ = exception;
        spawned->ended_ = true;
      }));
  settle();
}

}  // namespace cc::service
