// Jobs that run on exactly the leader: each on a thread of its own, begun when this node begins to lead and asked to
// stop when it no longer does.
//
// "Exactly" is as exact as it can be: of the nodes that know who leads, one runs a job. A leader that was deposed while
// it was cut off learns that up to an election timeout later, and a job that is asked to stop needs a moment to do so;
// its successor may have begun by then. So whatever a job does goes through the log, where a deposed leader commits
// nothing, or may be done twice, or is fenced by the term: it only grows, and what a job writes elsewhere is written
// under its term and refused to a smaller one.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "consensus/log.h"

namespace cc::node {

class LeaderJobs {
 public:
  // Returns soon after it was asked to stop; what it registers with std::stop_callback must not wait, for that is
  // called on the log thread. What it throws is logged. A job that returns by itself is begun again in the next term
  // that this node leads, not before.
  using Job = std::function<void(std::stop_token, consensus::Term)>;

  LeaderJobs() = default;
  ~LeaderJobs();  // as stop()
  LeaderJobs(const LeaderJobs&) = delete;
  LeaderJobs& operator=(const LeaderJobs&) = delete;

  void add(std::string name, Job job);  // before start()
  void start();                         // no job runs before, whoever leads; once

  // As consensus::Observer::leads. Any thread; does not wait for jobs. A job of an earlier term ends before it is begun
  // in this one: it never runs twice at once on a node.
  void lead(bool leads, consensus::Term term);

  void stop();  // asks all of them to stop, and waits for them; for good

 private:
  struct Runner {
    std::string name;
    Job job;
    std::thread thread;
  };

  void run(const Runner& runner);
  void replace_term(consensus::Term term);

  std::mutex mutex_;
  std::condition_variable changed_;
  consensus::Term term_ = 0;    // that this node leads in; 0: it does not. Guarded by mutex_
  std::stop_source stop_term_;  // of the jobs of term_; guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_
  std::list<Runner> runners_;
};

}  // namespace cc::node
