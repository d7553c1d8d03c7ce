#include "backup/folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace cc::backup {
namespace {

constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::chrono::hours kLongAgo{24};

std::unexpected<Error> failed(std::string_view doing, const Path& file, const std::error_code& error) {
  return fail(error == std::errc::no_such_file_or_directory ? Code::not_found : Code::unavailable,
              fmt::format("cannot {} {}: {}", doing, file.string(), error.message()));
}

class Folder final : public Storage {
 public:
  explicit Folder(Path path) : path_(std::move(path)) {}

  std::string where(const std::string& name) const override { return (path_ / name).string(); }

  Result<std::vector<Stored>> list() override {
    std::vector<Stored> all;
    std::error_code error;
    for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
      std::error_code gone;
      const std::uint64_t bytes = at->file_size(gone);
      std::string name = at->path().filename().string();
      if (!gone && !name.ends_with(kUnfinished)) all.push_back({.name = std::move(name), .bytes = bytes});
    }
    if (error && error != std::errc::no_such_file_or_directory) return failed("read", path_, error);
    return all;
  }

  Result<std::string> get(const std::string& name, std::uint64_t offset, std::size_t size) override {
    const Path file = path_ / name;
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failed("open", file, {errno, std::generic_category()});
    std::string out(size, '\0');
    std::size_t got = 0;
    ssize_t more = 1;
    while (got < size && more > 0) {
      more = ::pread(fd, out.data() + got, size - got, static_cast<off_t>(offset + got));
      if (more > 0) got += static_cast<std::size_t>(more);
    }
    const std::error_code error(errno, std::generic_category());
    ::close(fd);
    if (more < 0) return failed("read", file, error);
    out.resize(got);
    return out;
  }

  Result<> put(const std::string& name, const Path& from, const Progress& progress) override {
    TRYV(make_directories(path_, 0700));
    std::error_code error;
    const std::uint64_t bytes = std::filesystem::file_size(from, error);
    std::filesystem::rename(from, path_ / name, error);
    if (error) {  // another disk
      const Path beside = path_ / (name + std::string(kUnfinished));
      std::filesystem::remove(beside, error);
      TRYV(copy_file(from, beside, 0600));
      TRYV(move_file(beside, path_ / name));
    }
    if (progress) progress(bytes, bytes);
    return sync_directory(path_);
  }

  Result<> put_text(const std::string& name, const std::string& text) override {
    return write_file(path_ / name, text, 0600);
  }

  Result<> remove(const std::string& name) override {
    std::error_code error;
    std::filesystem::remove(path_ / name, error);
    if (error) return failed("remove", path_ / name, error);
    return {};
  }

  Result<> tidy() override {
    std::error_code error;
    const auto now = std::filesystem::file_time_type::clock::now();
    for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
      std::error_code gone;
      if (at->path().extension() == kUnfinished && at->last_write_time(gone) + kLongAgo < now && !gone)
        std::filesystem::remove(at->path(), gone);
    }
    return {};
  }

 private:
  const Path path_;
};

}  // namespace

std::shared_ptr<Storage> folder(const Path& path) {
  return std::make_shared<Folder>(path);
}

File file_at(const Path& path) {
  return {.storage = folder(path.has_parent_path() ? path.parent_path() : Path(".")), .name = path.filename().string()};
}

}  // namespace cc::backup
