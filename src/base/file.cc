#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <system_error>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"

namespace cc {
namespace {

// What the system said about `path`, as one of our codes.
std::unexpected<Error> system_failure(std::string_view doing, const Path& path, int error) {
  Code code = Code::internal;
  if (error == ENOENT) code = Code::not_found;
  if (error == EEXIST) code = Code::already_exists;
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

// 0, or why not all of it was written.
int write_all(int fd, std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t put = ::write(fd, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

constexpr std::size_t kWrittenOutAtOnce = 1u << 20;

Result<> write_out(const Path& path, int fd) {
  if (::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE_AND_WAIT) == 0) return {};
  if (errno == ENOSYS || errno == EINVAL) return {};  // a file system that has no such thing
  return system_failure("write", path, errno);
}

Path folder_of(const Path& path) {
  return path.has_parent_path() ? path.parent_path() : Path(".");
}

// Not longer than the name that it stands for may be.
Path new_name_beside(const Path& path) {
  return folder_of(path) / (".config-center-" + to_hex(random_bytes(6)));
}

// Where writing to `path` would go, also when there is nothing yet.
Path behind_links(Path path) {
  constexpr int kMostLinks = 40;
  std::error_code error;
  for (int i = 0; i < kMostLinks && std::filesystem::is_symlink(path, error); ++i) {
    const Path target = std::filesystem::read_symlink(path, error);
    if (error) break;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  return path;
}

// A file with the mode and the owner of `there`, to take its place; -1 when that cannot be.
int open_twin(const Path& twin, const Path& path, const struct stat& there) {
  const bool has_acl = ::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
  if (!S_ISREG(there.st_mode) || there.st_nlink > 1 || has_acl) return -1;
  const int fd = ::open(twin.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  struct stat made{};
  const bool same_owner = ::fstat(fd, &made) == 0 && made.st_uid == there.st_uid && made.st_gid == there.st_gid;
  if ((same_owner || ::fchown(fd, there.st_uid, there.st_gid) == 0) && ::fchmod(fd, there.st_mode & 07777) == 0) {
    return fd;
  }
  ::close(fd);
  ::unlink(twin.c_str());
  return -1;
}

}  // namespace

Result<std::string> read_file(const Path& path) {
  std::string content;
  TRYV(read_in_pieces(path, [&](std::string_view piece) { content += piece; }));
  return content;
}

Result<> read_in_pieces(const Path& path, const std::function<void(std::string_view piece)>& each) {
  TRY(OpenFile file, OpenFile::open(path));
  std::vector<char> piece(64 * 1024);
  for (;;) {
    TRY(const std::size_t got, file.read(piece.data(), piece.size()));
    if (got == 0) return {};
    each({piece.data(), got});
  }
}

Result<OpenFile> OpenFile::open(const Path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_failure("read", path, errno);
  return OpenFile(path, fd);
}

OpenFile::~OpenFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::size_t> OpenFile::read(char* to, std::size_t size) {
  for (;;) {
    const ssize_t got = ::read(fd_, to, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return system_failure("read", path_, errno);
  }
}

Result<NewFile> NewFile::create(const Path& path, unsigned mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return system_failure("write", path, errno);
  return NewFile(path, fd);
}

NewFile::~NewFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(path_.c_str());
}

Result<> NewFile::write(std::string_view bytes) {
  if (const int error = write_all(fd_, bytes); error != 0) return system_failure("write", path_, error);
  not_written_out_ += bytes.size();
  if (not_written_out_ < kWrittenOutAtOnce) return {};
  not_written_out_ = 0;
  return write_out(path_, fd_);
}

Result<> NewFile::finish() {
  if (::fsync(fd_) != 0) return system_failure("write", path_, errno);
  ::close(std::exchange(fd_, -1));
  auto synced = sync_directory(folder_of(path_));
  if (!synced) ::unlink(path_.c_str());
  return synced;
}

Result<> write_file(const Path& path, std::string_view content, unsigned mode) {
  const Path beside = new_name_beside(path);
  const auto give_up = [&](int error) {
    ::unlink(beside.c_str());
    return system_failure("write", path, error);
  };
  {
    const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (file.get() < 0) return system_failure("write", path, errno);
    if (::fchmod(file.get(), mode) != 0) return give_up(errno);
    if (const int error = write_all(file.get(), content); error != 0) return give_up(error);
    if (::fsync(file.get()) != 0) return give_up(errno);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return give_up(errno);
  return sync_directory(folder_of(path));
}

Result<NamedFile> NamedFile::open(const Path& named, unsigned mode) {
  const Path path = behind_links(named);
  Path beside = new_name_beside(path);
  struct stat there{};
  if (::stat(path.c_str(), &there) != 0) {
    if (errno != ENOENT) return system_failure("write", named, errno);
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return system_failure("write", named, errno);
    return NamedFile(path, std::move(beside), fd);
  }
  if (const int fd = open_twin(beside, path, there); fd >= 0) return NamedFile(path, std::move(beside), fd);
  const int fd = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return system_failure("write", named, errno);
  return NamedFile(path, {}, fd);
}

NamedFile::NamedFile(NamedFile&& other) noexcept
    : path_(std::move(other.path_)), beside_(std::exchange(other.beside_, {})), fd_(std::exchange(other.fd_, -1)) {}

NamedFile::~NamedFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

Result<> NamedFile::write(std::string_view bytes) {
  if (const int error = write_all(fd_, bytes); error != 0) return system_failure("write", path_, error);
  return {};
}

Result<> NamedFile::finish() {
  const bool synced = ::fsync(fd_) == 0 || errno == EINVAL || errno == EROFS;  // what is no file has nothing to sync
  if (!synced || ::close(std::exchange(fd_, -1)) != 0) return system_failure("write", path_, errno);
  if (beside_.empty()) return {};
  if (::rename(beside_.c_str(), path_.c_str()) == 0) {
    beside_.clear();
    return sync_directory(folder_of(path_));
  }
  if (errno != EBUSY) return system_failure("write", path_, errno);
  // A file that is mounted by itself, as into a container, cannot be replaced.
  TRY(const std::string content, read_file(beside_));
  const Descriptor file(::open(path_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (file.get() < 0) return system_failure("write", path_, errno);
  if (const int error = write_all(file.get(), content); error != 0) return system_failure("write", path_, error);
  if (::fsync(file.get()) != 0) return system_failure("write", path_, errno);
  return {};
}

Result<> write_named_file(const Path& path, std::string_view content, unsigned mode) {
  TRY(NamedFile file, NamedFile::open(path, mode));
  TRYV(file.write(content));
  return file.finish();
}

Result<> copy_file(const Path& from, const Path& to, unsigned mode) {
  std::error_code error;
  if (!std::filesystem::copy_file(from, to, error)) return system_failure("write", to, error.value());
  if (::chmod(to.c_str(), mode) != 0) return system_failure("write", to, errno);
  return sync_file(to);
}

Result<> sync_file(const Path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0) return system_failure("sync", path, errno);
  return {};
}

Result<> write_out(const Path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_failure("write", path, errno);
  return write_out(path, file.get());
}

Result<> move_file(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return system_failure("rename", from, errno);
  return sync_directory(folder_of(to));
}

Result<> remove_tree(const Path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return fail(Code::unavailable, fmt::format("cannot remove {}: {}", path.string(), error.message()));
  return {};
}

Result<> make_directories(const Path& path, unsigned mode) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  if (path.has_parent_path() && path.parent_path() != path) TRYV(make_directories(path.parent_path(), mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return system_failure("create folder", path, errno);
  if (!std::filesystem::is_directory(path, error)) return system_failure("create folder", path, ENOTDIR);
  return sync_directory(folder_of(path));
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

std::uint64_t size_of_tree(const Path& path) noexcept {
  std::uint64_t total = 0;
  std::error_code error;
  std::filesystem::recursive_directory_iterator at(path, error);
  const std::filesystem::recursive_directory_iterator end;
  while (!error && at != end) {
    std::error_code gone;  // files come and go while we look
    if (at->is_regular_file(gone)) {
      const auto size = at->file_size(gone);
      if (!gone) total += size;
    }
    at.increment(error);
  }
  return total;
}

Result<TempDirectory> TempDirectory::make() {
  const char* folder = std::getenv("TMPDIR");
  std::string pattern = Path(folder != nullptr && *folder != '\0' ? folder : "/tmp") / "config-center-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) return system_failure("create folder", pattern, errno);
  return TempDirectory(Path(pattern));
}

TempDirectory::~TempDirectory() {
  if (path_.empty()) return;
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace cc
