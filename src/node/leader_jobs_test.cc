#include "node/leader_jobs.h"

#include <condition_variable>
#include <latch>
#include <memory>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::node {
namespace {

using consensus::Term;
using testing::ElementsAre;
using testing::IsEmpty;

// What happened, in order; waits for it.
class Diary {
 public:
  void write(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  // The lines, when there are so many.
  std::vector<std::string> of(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::minutes(1), [&] { return lines_.size() >= count; });
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

void until_asked(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any asked;
  std::unique_lock lock(mutex);
  asked.wait(lock, stop, [] { return false; });
}

class LeaderJobsTest : public testing::Test {
 protected:
  // A job that runs until it is asked to stop, and writes down both.
  void add_patient(const std::string& name) {
    jobs_.add(name, [this, name](const std::stop_token& stop, Term term) {
      diary_.write(name + " begins in " + std::to_string(term));
      until_asked(stop);
      diary_.write(name + " ends in " + std::to_string(term));
    });
  }

  Diary diary_;
  LeaderJobs jobs_;
};

TEST_F(LeaderJobsTest, a_job_runs_as_long_as_this_node_leads) {
  add_patient("job");
  jobs_.start();
  jobs_.lead(true, 3);
  EXPECT_THAT(diary_.of(1), ElementsAre("job begins in 3"));
  jobs_.lead(false, 3);
  EXPECT_THAT(diary_.of(2), ElementsAre("job begins in 3", "job ends in 3"));
  jobs_.lead(true, 7);
  EXPECT_THAT(diary_.of(3).back(), "job begins in 7");
}

TEST_F(LeaderJobsTest, one_that_never_leads_runs_nothing) {
  add_patient("job");
  jobs_.start();
  jobs_.lead(false, 2);
  jobs_.stop();
  EXPECT_THAT(diary_.of(0), IsEmpty());
}

TEST_F(LeaderJobsTest, nothing_runs_before_the_start_and_a_leader_of_then_is_not_forgotten) {
  jobs_.lead(true, 2);
  add_patient("job");
  jobs_.start();
  EXPECT_THAT(diary_.of(1), ElementsAre("job begins in 2"));
}

TEST_F(LeaderJobsTest, what_ended_before_it_could_begin_is_not_begun) {
  add_patient("job");
  jobs_.lead(true, 2);
  jobs_.lead(false, 2);
  jobs_.lead(true, 5);
  jobs_.start();
  EXPECT_THAT(diary_.of(1), ElementsAre("job begins in 5"));
}

TEST_F(LeaderJobsTest, the_log_thread_does_not_wait_for_a_job_and_a_job_never_runs_beside_itself) {
  const auto let_go = std::make_shared<std::latch>(1);  // the second run outlives this function
  jobs_.add("slow", [this, let_go](const std::stop_token& stop, Term term) {
    diary_.write("begins in " + std::to_string(term));
    until_asked(stop);
    diary_.write("asked to stop in " + std::to_string(term));
    let_go->wait();
    diary_.write("ends in " + std::to_string(term));
  });
  jobs_.start();
  jobs_.lead(true, 1);
  diary_.of(1);
  // These return although the job goes on: the test would hang else.
  jobs_.lead(false, 1);
  diary_.of(2);
  jobs_.lead(true, 4);
  let_go->count_down();
  EXPECT_THAT(diary_.of(4), ElementsAre("begins in 1", "asked to stop in 1", "ends in 1", "begins in 4"));
}

TEST_F(LeaderJobsTest, a_new_term_without_a_pause_is_a_new_run) {
  add_patient("job");
  jobs_.start();
  jobs_.lead(true, 1);
  diary_.of(1);
  jobs_.lead(true, 2);
  EXPECT_THAT(diary_.of(3), ElementsAre("job begins in 1", "job ends in 1", "job begins in 2"));
}

TEST_F(LeaderJobsTest, one_that_has_returned_waits_for_the_next_term) {
  jobs_.add("short", [&](const std::stop_token&, Term term) { diary_.write(std::to_string(term)); });
  jobs_.start();
  jobs_.lead(true, 1);
  diary_.of(1);
  jobs_.lead(true, 1);  // told again
  jobs_.lead(true, 2);
  EXPECT_THAT(diary_.of(2), ElementsAre("1", "2"));
}

TEST_F(LeaderJobsTest, one_that_throws_harms_nobody_and_is_tried_in_the_next_term) {
  jobs_.add("broken", [&](const std::stop_token&, Term term) {
    diary_.write("broken in " + std::to_string(term));
    throw std::runtime_error("as the test wants");
  });
  jobs_.start();
  jobs_.lead(true, 1);
  diary_.of(1);
  jobs_.lead(true, 2);
  EXPECT_THAT(diary_.of(2), ElementsAre("broken in 1", "broken in 2"));
}

TEST_F(LeaderJobsTest, jobs_do_not_wait_for_each_other) {
  std::latch both(2);
  for (const char* name : {"one", "two"}) {
    jobs_.add(name, [&, name](const std::stop_token&, Term) {
      both.arrive_and_wait();
      diary_.write(name);
    });
  }
  jobs_.start();
  jobs_.lead(true, 1);
  EXPECT_THAT(diary_.of(2), testing::UnorderedElementsAre("one", "two"));
}

TEST_F(LeaderJobsTest, stopping_waits_for_the_jobs_and_begins_none) {
  add_patient("job");
  jobs_.start();
  jobs_.lead(true, 1);
  diary_.of(1);
  jobs_.stop();
  EXPECT_THAT(diary_.of(0), ElementsAre("job begins in 1", "job ends in 1"));
  jobs_.lead(true, 2);
  jobs_.stop();
  EXPECT_THAT(diary_.of(0), ElementsAre("job begins in 1", "job ends in 1"));
}

TEST_F(LeaderJobsTest, a_job_may_ask_what_leads_while_it_is_asked_to_stop) {
  jobs_.add("job", [&](const std::stop_token& stop, Term term) {
    const std::stop_callback asked(stop, [&] { jobs_.lead(false, term); });  // would hang if this held a lock
    diary_.write("begins");
    until_asked(stop);
    diary_.write("ends");
  });
  jobs_.start();
  jobs_.lead(true, 1);
  diary_.of(1);
  jobs_.lead(false, 1);
  EXPECT_THAT(diary_.of(2), ElementsAre("begins", "ends"));
}

}  // namespace
}  // namespace cc::node
