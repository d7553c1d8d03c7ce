// Preloaded into a node, this sets its wall clock: it is off by the seconds that the file SHIFTED_CLOCK holds as eight
// bytes, and follows when they change. Other clocks are as they are. (libfaketime and jemalloc wait for each other.)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

const volatile std::int64_t* shift = nullptr;

[[gnu::constructor]] void open_shift() {
  const char* file = std::getenv("SHIFTED_CLOCK");
  const int descriptor = file == nullptr ? -1 : open(file, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  void* mapped = mmap(nullptr, sizeof *shift, PROT_READ, MAP_SHARED, descriptor, 0);
  if (mapped != MAP_FAILED) shift = static_cast<const std::int64_t*>(mapped);
  close(descriptor);
}

timespec now(clockid_t clock) {
  timespec time{};
  syscall(SYS_clock_gettime, clock, &time);
  if (shift != nullptr && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time.tv_sec += *shift;
  return time;
}

}  // namespace

// Allocators ask for the time before anything is set up: nothing here allocates or looks up a symbol.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  *time = now(clock);
  return 0;
}

extern "C" int gettimeofday(timeval* time, void*) noexcept {
  const timespec real = now(CLOCK_REALTIME);
  *time = {real.tv_sec, real.tv_nsec / 1000};
  return 0;
}

extern "C" std::time_t time(std::time_t* also) noexcept {
  const std::time_t seconds = now(CLOCK_REALTIME).tv_sec;
  if (also != nullptr) *also = seconds;
  return seconds;
}
