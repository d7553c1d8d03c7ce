#include "cli/signals.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace cc::cli {
namespace {

// How a process that runs `body` ends.
template <class Body>
int end_of(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(HeldSignals, take_their_course_when_what_they_waited_for_is_done) {
  int done[2];
  ASSERT_EQ(::pipe(done), 0);
  const int status = end_of([&] {
    const HeldSignals held;
    ::raise(SIGTERM);
    if (HeldSignals::noted() != SIGTERM) ::_exit(3);
    pollfd readable{.fd = held.readable_when_noted(), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, 0) != 1) ::_exit(4);
    if (::write(done[1], "x", 1) != 1) ::_exit(5);
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  char byte = 0;
  EXPECT_EQ(::read(done[0], &byte, 1), 1);
  ::close(done[0]);
  ::close(done[1]);
}

TEST(HeldSignals, end_the_process_at_once_the_second_time) {
  const int status = end_of([] {
    const HeldSignals held;
    ::raise(SIGINT);
    ::raise(SIGINT);
    ::_exit(3);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST(HeldSignals, that_are_ignored_stay_ignored) {
  const int status = end_of([] {
    std::signal(SIGHUP, SIG_IGN);
    const HeldSignals held;
    ::raise(SIGHUP);
    if (HeldSignals::noted() != 0) ::_exit(3);
  });
  EXPECT_EQ(status, 0);
}

TEST(HeldSignals, go_on_to_a_child_also_when_they_came_before_it) {
  const int status = end_of([] {
    HeldSignals held;
    ::kill(::getpid(), SIGTERM);
    const pid_t child = ::fork();
    if (child == 0) {
      std::signal(SIGTERM, SIG_DFL);
      ::pause();
      ::_exit(0);
    }
    held.forward_to(child);
    int how = 0;
    while (::waitpid(child, &how, 0) < 0) {
    }
    held.forward_to(0);
    ::_exit(WIFSIGNALED(how) && WTERMSIG(how) == SIGTERM ? 7 : 8);
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace cc::cli
