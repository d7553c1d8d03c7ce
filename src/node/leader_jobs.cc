#include "node/leader_jobs.h"

#include <pthread.h>

#include <exception>
#include <utility>

#include "base/log.h"

namespace cc::node {
namespace {

const Logger kLog{"node"};

void run_once(const std::string& name, const LeaderJobs::Job& job, const std::stop_token& stop, consensus::Term term) {
  kLog.debug("a job of the leader begins", {{"job", name}, {"term", term}});
  try {
    job(stop, term);
  } catch (const std::exception& e) {
    kLog.error("a job of the leader failed", {{"job", name}, {"term", term}, {"reason", e.what()}});
  }
  kLog.debug("a job of the leader ended", {{"job", name}, {"term", term}});
}

}  // namespace

LeaderJobs::~LeaderJobs() {
  stop();
}

void LeaderJobs::add(std::string name, Job job) {
  runners_.push_back({.name = std::move(name), .job = std::move(job), .thread = {}});
}

void LeaderJobs::start() {
  for (Runner& runner : runners_)
    runner.thread = std::thread([this, &runner] { run(runner); });
}

void LeaderJobs::run(const Runner& runner) {
  ::pthread_setname_np(::pthread_self(), "cc-leader-job");
  consensus::Term done = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || (term_ != 0 && term_ != done); });
    if (stopping_) return;
    done = term_;
    const std::stop_token stop = stop_term_.get_token();
    lock.unlock();
    run_once(runner.name, runner.job, stop, done);
    lock.lock();
  }
}

void LeaderJobs::lead(bool leads, consensus::Term term) {
  replace_term(leads ? term : 0);
}

void LeaderJobs::replace_term(consensus::Term term) {
  std::stop_source before;
  {
    const std::lock_guard lock(mutex_);
    if (term == term_) return;
    term_ = term;
    before = std::exchange(stop_term_, std::stop_source());
  }
  before.request_stop();  // runs what jobs have registered: without the lock
  changed_.notify_all();
}

void LeaderJobs::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  replace_term(0);
  changed_.notify_all();
  for (Runner& runner : runners_) {
    if (runner.thread.joinable()) runner.thread.join();
  }
}

}  // namespace cc::node
