#include "node/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::node {
namespace {

std::string system_message() {
  return std::system_category().message(errno);
}

// False with errno.
bool lock_within(int fd, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPause{20};
  const auto until = std::chrono::steady_clock::now() + patience;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

}  // namespace

Result<DataFolder> DataFolder::open(const Path& path, std::chrono::milliseconds patience) {
  if (auto made = make_directories(path, 0700); !made) {
    return fail(Code::unavailable, std::move(made).error().message + ": correct data_dir or its permissions");
  }
  const Path file = path / "lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Code::unavailable, fmt::format("cannot write to {}: {}", path.string(), system_message()));
  DataFolder folder(path, fd);
  if (!lock_within(fd, patience)) {
    if (errno != EWOULDBLOCK) {
      return fail(Code::unavailable, fmt::format("cannot lock {}: {}", file.string(), system_message()));
    }
    const std::string holder = read_file(file).value_or("");
    return fail(Code::conflict,
                fmt::format("{} is in use by another process{}: stop it first, or choose another data_dir",
                            path.string(), holder.empty() ? "" : ", pid " + std::string(trim(holder))));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  // Only for the message above: a full disk is no reason not to start.
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) errno = 0;
  return folder;
}

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace cc::node
