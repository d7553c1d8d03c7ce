#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"

namespace cc {
namespace {

// What the system said about `path`, as one of our codes.
std::unexpected<Error> system_failure(std::string_view doing, const Path& path, int error) {
  Code code = Code::internal;
  if (error == ENOENT) code = Code::not_found;
  if (error == EACCES || error == EPERM || error == EROFS || error == ENOSPC || error == EDQUOT || error == EIO) {
    code = Code::unavailable;
  }
  return fail(code, fmt::format("{} {}: {}", doing, path.string(), std::system_category().message(error)));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::string> read_file(const Path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_failure("read", path, errno);
  std::string content;
  std::vector<char> piece(64 * 1024);
  for (;;) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("read", path, errno);
    if (got == 0) return content;
    content.append(piece.data(), static_cast<std::size_t>(got));
  }
}

Result<> write_file(const Path& path, std::string_view content, unsigned mode) {
  const Path beside = path.string() + ".new-" + to_hex(random_bytes(4));
  const auto give_up = [&](int error) {
    ::unlink(beside.c_str());
    return system_failure("write", path, error);
  };
  {
    const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (file.get() < 0) return system_failure("write", path, errno);
    if (::fchmod(file.get(), mode) != 0) return give_up(errno);
    std::string_view rest = content;
    while (!rest.empty()) {
      const ssize_t put = ::write(file.get(), rest.data(), rest.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return give_up(errno);
      rest.remove_prefix(static_cast<std::size_t>(put));
    }
    if (::fsync(file.get()) != 0) return give_up(errno);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return give_up(errno);
  return sync_directory(path.has_parent_path() ? path.parent_path() : Path("."));
}

Result<> make_directories(const Path& path, unsigned mode) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  if (path.has_parent_path() && path.parent_path() != path) TRYV(make_directories(path.parent_path(), mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return system_failure("create folder", path, errno);
  if (!std::filesystem::is_directory(path, error)) return system_failure("create folder", path, ENOTDIR);
  return {};
}

Result<> sync_directory(const Path& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return system_failure("open folder", path, errno);
  if (::fsync(folder.get()) != 0) return system_failure("sync folder", path, errno);
  return {};
}

Result<std::uint64_t> free_space(const Path& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) return system_failure("look at the disk of", path, errno);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

TempDirectory::TempDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "config-center-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot create " + pattern);
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace cc
