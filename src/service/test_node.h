// For tests: one I/O thread's Context on a real state, a real log of one node, and a real directory. The test's own
// thread is the I/O thread: it runs only inside run(), until() and settle().
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "base/file.h"
#include "proto/command.pb.h"
#include "service/audit_trail.h"
#include "service/context.h"
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
  void release();

  Applied applied() const override;
  std::string group() const override { return state_.position().cluster_id; }
  Result<std::string> apply(consensus::Index index, std::string_view command) override;
  Result<> deliver(std::move_only_function<void()> then) override;
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

// The group that the node is in: it is alone, as long as a test does not say otherwise. On the I/O thread only.
class TestGroup final : public Group {
 public:
  explicit TestGroup(consensus::Log& log) : own_(group_of(log)) {}

  bool without_leader = false;                      // so what is read may be stale, and no barrier is reached
  std::function<void(consensus::Status&)> pretend;  // changes what status() tells
  bool hold_barriers = false;                       // then they wait in `barriers`
  std::vector<consensus::Log::Then> barriers;
  std::vector<consensus::Change> changes;  // that were asked for
  std::function<Result<>(const consensus::Change&)> refuse = [](const auto&) { return Result<>(); };

  bool stale() const noexcept override { return without_leader || own_->stale(); }
  consensus::Status status() const override;
  void read_barrier(consensus::Log::Patience patience, consensus::Log::Then then) override;
  void change(consensus::Change change, consensus::Log::Patience patience, consensus::Log::Then then) override;

 private:
  std::unique_ptr<Group> own_;
};

class TestNode {
 public:
  TestNode();

  ~TestNode();

  Context& context() { return *context_; }
  ManualClock& clock() { return clock_; }
  view::View& view() { return view_; }
  TestMachine& machine() { return *machine_; }
  TestGroup& group() { return *group_; }
  const state::Queries& queries() { return *queries_; }

  // Runs the I/O thread until `done`; fails the test when that takes too long.
  void until(const std::function<bool()>& done);
  // Does all that can be done now without waiting for another thread.
  void settle();

  template <class T>
  T run(Task<T> task) {
    return start(std::move(task))->value();
  }

  // A task that goes on while the test does other things.
  class Spawned {
   public:
    explicit Spawned(TestNode& node) : node_(node) {}
    bool done() const { return ended_; }
    void cancel() { signal_.emit(asio::cancellation_type::terminal); }
    bool broken_off() const { return exception_ != nullptr; }

   protected:
    friend class TestNode;
    void wait();  // and throws what the task threw
    TestNode& node_;
    asio::cancellation_signal signal_;
    std::exception_ptr exception_;
    bool ended_ = false;
  };
  template <class T>
  class Running : public Spawned {
   public:
    using Spawned::Spawned;
    T value() {
      wait();
      return *std::move(value_);
    }

   private:
    friend class TestNode;
    static Task<> keep(std::shared_ptr<Running> running, Task<T> task) { running->value_ = co_await std::move(task); }
    std::optional<T> value_;
  };
  template <class T>
  std::shared_ptr<Running<T>> start(Task<T> task) {
    auto running = std::make_shared<Running<T>>(*this);
    spawn(running, Running<T>::keep(running, std::move(task)));
    return running;
  }

  // Proposes as the system and must succeed.
  log::Outcome must(log::Command command);

  Call system();

  // Makes the user.
  void user(const std::string& name, const std::vector<Grant>& grants);
  void grant(const std::string& name, const Grant& grant, bool revoke = false);
  // The value of an Authorization header.
  std::string token(const std::string& name, std::chrono::milliseconds lives = std::chrono::hours(1));
  const std::string& last_token_id() const { return last_token_; }

  // A call by a user, with a session, under a new request id.
  Call as(const std::string& authorization);
  Call admin() { return as(token("admin")); }
  Call nobody() { return as(""); }

  // What the audit trail has, newest first.
  std::vector<AuditRecord> audited(const state::AuditFilter& filter = {});

 private:
  void spawn(std::shared_ptr<Spawned> spawned, Task<> task);

  Call call_of(identity::CallerPtr caller);

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
  TestGroup* group_ = nullptr;  // the context's
  std::string last_token_;
};

}  // namespace cc::service
