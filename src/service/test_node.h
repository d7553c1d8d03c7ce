// For tests: one I/O thread's Context on a real state, a real log of one node, and a real directory. The test's own
// thread is the I/O thread: it runs only inside run(), until() and settle().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "identity/token.h"
#include "proto/command.pb.h"
#include "service/audit_trail.h"
#include "service/context.h"
#include "service/directory.h"
#include "state/state.h"

namespace cc::service {

// As node::StateMachine, for one I/O thread; and it can be held, as by a slow disk.
class TestMachine final : public consensus::StateMachine {
 public:
  using Told = std::function<void(state::Changes, std::optional<state::Identity>)>;

  TestMachine(state::State& state, asio::io_context& io) : state_(state), io_(io) {}

  void go_live(Told told) {
    const std::lock_guard lock(mutex_);
    told_ = std::move(told);
  }
  // While held, what is delivered is neither served nor answered.
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  // Whether so many batches are held.
  bool holds(std::size_t batches = 1) {
    const std::lock_guard lock(mutex_);
    return waiting_.size() >= batches;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    for (auto& one : waiting_)
      asio::post(io_, std::move(one));
    waiting_.clear();
  }

  Applied applied() const override {
    const auto at = state_.position();
    return {.index = at.applied, .crc = at.applied_crc};
  }
  Result<std::string> apply(consensus::Index index, std::string_view command) override {
    return state_.apply(index, command);
  }
  Result<> deliver(std::move_only_function<void()> then) override {
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
  Result<> commit() override { return state_.commit(); }
  void roll_back() override { state_.roll_back(); }
  Result<std::unique_ptr<Snapshot>> begin_snapshot() override {
    return fail(Code::internal, "the test's node takes no snapshots");
  }
  Result<> restore(const Path&) override { return fail(Code::internal, "the test's node restores nothing"); }

 private:
  state::State& state_;
  asio::io_context& io_;
  std::mutex mutex_;
  Told told_;                                             // guarded by mutex_; set once
  bool held_ = false;                                     // guarded by mutex_
  std::vector<std::move_only_function<void()>> waiting_;  // guarded by mutex_
};

class TestNode {
 public:
  TestNode() {
    set_log_level(LogLevel::warn);
    state_ = state::State::open(directory_.path() / "state.db").value();
    machine_ = std::make_unique<TestMachine>(*state_, io_);
    log_ = consensus::Log::open({.directory = directory_.path() / "raft", .min_free_disk = 0}, *machine_).value();
    queries_ =
        std::make_unique<state::Queries>(directory_.path() / "state.db", Workers::kQuestions + Workers::kSearches,
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

  ~TestNode() {
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

  Context& context() { return *context_; }
  ManualClock& clock() { return clock_; }
  view::View& view() { return view_; }
  TestMachine& machine() { return *machine_; }
  const state::Queries& queries() { return *queries_; }

  // Runs the I/O thread until `done`; fails the test when that takes too long.
  void until(const std::function<bool()>& done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("what the test waits for does not come");
      io_.run_one_for(std::chrono::milliseconds(50));
    }
  }
  // Does all that can be done now without waiting for another thread.
  void settle() {
    while (io_.poll() > 0) {
    }
  }

  template <class T>
  T run(Task<T> task) {
    return start(std::move(task))->value();
  }

  // A task that goes on while the test does other things.
  template <class T>
  class Running {
   public:
    explicit Running(TestNode& node) : node_(node) {}
    bool done() const { return ended_; }
    T value() {
      node_.until([this] { return ended_; });
      if (exception_) std::rethrow_exception(exception_);
      return *std::move(value_);
    }
    void cancel() { signal_.emit(asio::cancellation_type::terminal); }
    bool broken_off() const { return exception_ != nullptr; }

   private:
    friend class TestNode;
    TestNode& node_;
    asio::cancellation_signal signal_;
    std::optional<T> value_;
    std::exception_ptr exception_;
    bool ended_ = false;
  };
  template <class T>
  std::shared_ptr<Running<T>> start(Task<T> task) {
    auto running = std::make_shared<Running<T>>(*this);
    asio::co_spawn(
        io_, std::move(task),
        asio::bind_cancellation_slot(running->signal_.slot(), [running](const std::exception_ptr& exception, T value) {
          running->exception_ = exception;
          if (!exception) running->value_ = std::move(value);
          running->ended_ = true;
        }));
    settle();
    return running;
  }

  // Proposes as the system and must succeed.
  log::Outcome must(log::Command command) {
    auto outcome = run(propose(*context_, system(), std::move(command)));
    if (!outcome) throw std::runtime_error(outcome.error().message);
    return *std::move(outcome);
  }

  Call system() {
    return call_of(std::make_shared<const identity::Caller>(
        identity::Caller{.kind = identity::Caller::Kind::system, .name = "system"}));
  }

  // Makes the user.
  void user(const std::string& name, const std::vector<Grant>& grants) {
    log::Command put;
    put.mutable_put_user()->set_name(name);
    put.mutable_put_user()->set_password_hash("none");
    must(std::move(put));
    for (const Grant& one : grants)
      grant(name, one);
  }
  void grant(const std::string& name, const Grant& grant, bool revoke = false) {
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
  // The value of an Authorization header.
  std::string token(const std::string& name, std::chrono::milliseconds lives = std::chrono::hours(1)) {
    last_token_ = random_id();
    const User* user = context_->directory->find_user(name);
    return "Bearer " + identity::issue_token({.user = name,
                                              .token_id = last_token_,
                                              .epoch = user != nullptr ? user->token_epoch : 0,
                                              .issued = clock_.wall(),
                                              .expires = clock_.wall() + lives},
                                             kSecret);
  }
  const std::string& last_token_id() const { return last_token_; }

  // A call by a user, with a session, under a new request id.
  Call as(const std::string& authorization) {
    auto session = context_->sessions.open(context_->directory, authorization, "10.0.0.1", clock_.wall());
    if (!session) throw std::runtime_error(session.error().message);
    Call call = call_of((*session)->caller(context_->directory, clock_.wall()).value());
    call.session = *session;
    return call;
  }
  Call admin() { return as(token("admin")); }
  Call nobody() { return as(""); }

  // What the audit trail has, newest first.
  std::vector<AuditRecord> audited(const state::AuditFilter& filter = {}) {
    std::atomic<bool> flushed = false;
    std::thread flushing([&] {
      audit_->flush();
      flushed = true;
    });
    until([&] { return flushed.load(); });
    flushing.join();
    return queries_->audit(filter, {.limit = 1000}).value().items;
  }

 private:
  static constexpr auto kSecret = "a secret that is long enough for tests";

  Call call_of(identity::CallerPtr caller) {
    return {.caller = std::move(caller),
            .address = "10.0.0.1",
            .request_id = random_id(),
            .deadline = clock_.now() + std::chrono::seconds(30)};
  }

  TempDirectory directory_;
  ManualClock clock_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  Workers workers_;
  view::View view_;
  identity::Lockout lockout_{clock_};
  std::unique_ptr<state::State> state_;
  std::unique_ptr<TestMachine> machine_;
  std::unique_ptr<consensus::Log> log_;
  std::unique_ptr<state::Queries> queries_;
  std::unique_ptr<AuditTrail> audit_;
  std::optional<Context> context_;
  std::string last_token_;
};

}  // namespace cc::service
