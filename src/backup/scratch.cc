#include "backup/scratch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/bytes.h"

namespace cc::backup {
namespace {

constexpr std::string_view kPrefix = "backup-";

// Held until it is closed; -1 when somebody else has it.
int lock_of(const Path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

}  // namespace

void each_abandoned(const Path& in, const std::function<void(const Path&)>& take) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(in, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().filename().string().starts_with(kPrefix)) continue;
    const int lock = lock_of(at->path());
    if (lock < 0) continue;
    take(at->path());
    ::close(lock);
  }
}

Result<Scratch> Scratch::make(const Path& in) {
  each_abandoned(in, [](const Path& each) {
    std::error_code ignored;
    std::filesystem::remove_all(each, ignored);
  });
  Path path = in / (std::string(kPrefix) + to_hex(random_bytes(6)));
  TRYV(make_directories(path, 0700));
  const int lock = lock_of(path);
  if (lock < 0) return fail(Code::unavailable, fmt::format("cannot lock {}: try again", path.string()));
  return Scratch(std::move(path), lock);
}

Scratch::~Scratch() {
  if (lock_ < 0) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  std::filesystem::remove(path_.parent_path(), ignored);  // when nothing else is in it
  ::close(lock_);
}

}  // namespace cc::backup
