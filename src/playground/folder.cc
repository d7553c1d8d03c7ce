#include "playground/folder.h"

#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <pwd.h>

#include "base/text.h"

namespace cc::playground {
namespace {

constexpr unsigned kPassable = 0711;  // for PostgreSQL's user, who must see nothing else of it

Result<> failure(std::string_view doing, const Path& path) {
  return fail(Code::internal, fmt::format("{} {}: {}", doing, path.string(), std::strerror(errno)));
}

Result<> make_folder(const Path& path, const std::optional<User>& owner) {
  TRYV(make_directories(path, 0700));
  if (owner && ::chown(path.c_str(), owner->id, owner->group) != 0) return failure("give away", path);
  return {};
}

}  // namespace

Result<Folder> Folder::make_temporary() {
  const char* place = std::getenv("TMPDIR");
  std::string pattern = Path(place != nullptr && *place != '\0' ? place : "/tmp") / "config-center-playground-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr)
    return fail(Code::internal, fmt::format("make the folder {}: {}", pattern, std::strerror(errno)));
  Folder folder(Path(pattern), true);
  ::chmod(pattern.c_str(), kPassable);
  TRYV(make_directories(folder.logs(), 0700));
  return folder;
}

Result<Folder> Folder::keep(const Path& path) {
  std::error_code error;
  const Path absolute = std::filesystem::absolute(path, error).lexically_normal();
  // YAML, SQL and the settings of Redis have each their own way to write it.
  if (absolute.string().find_first_of(" \t\n'\"\\:#{}") != std::string::npos)
    return fail(Code::invalid_argument,
                fmt::format("choose a folder without blanks and quotes than {}", path.string()));
  TRYV(make_directories(absolute, kPassable));
  Folder folder(absolute, false);
  TRYV(make_directories(folder.logs(), 0700));
  return folder;
}

Folder::~Folder() {
  if (!temporary_ || path_.empty()) return;
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

Folder::Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, {})), temporary_(other.temporary_) {}

Result<std::optional<User>> database_user(const Path& folder) {
  if (::geteuid() != 0) return std::nullopt;
  const passwd* found = ::getpwnam("postgres");
  if (found == nullptr) found = ::getpwnam("nobody");
  if (found == nullptr) return fail(Code::not_found, "PostgreSQL does not run as root, and there is no user for it");
  for (Path each = folder; each != each.root_path(); each = each.parent_path()) {
    struct stat status{};
    if (::stat(each.c_str(), &status) == 0 && (status.st_mode & S_IXOTH) == 0) {
      return fail(Code::permission_denied,
                  fmt::format("PostgreSQL does not run as root, and nobody else may enter {}: choose another --folder",
                              each.string()));
    }
  }
  return User{.id = found->pw_uid, .group = found->pw_gid};
}

Result<> write(const Part& part, const Path& logs) {
  for (const Component& each : part.components) {
    TRYV(make_folder(each.folder, each.user));
    std::error_code error;
    std::filesystem::remove(logs / (each.name + ".log"), error);
  }
  for (const File& file : part.files) {
    std::error_code error;
    if (file.once && std::filesystem::exists(file.path, error)) continue;
    TRYV(make_directories(file.path.parent_path(), 0700));
    TRYV(write_file(file.path, file.content, 0600));
    if (file.owner && ::chown(file.path.c_str(), file.owner->id, file.owner->group) != 0)
      return failure("give away", file.path);
  }
  return {};
}

void forget_shared_memory(const Path& folder) {
  for (unsigned number = 1; number <= kDatabases; ++number) {
    // A server that ended by itself has removed it.
    const auto text = read_file(folder / numbered("postgres", number) / "data/postmaster.pid");
    if (!text) continue;
    const auto lines = split(*text, '\n');
    if (lines.size() <= 6) continue;
    const auto words = split(trim(lines[6]), ' ');
    const auto id = parse_uint(words.back(), "segment");
    const auto key = parse_uint(words.front(), "key");
    if (!id || !key) continue;
    // After a start of the machine the number may be somebody else's: the key is that of the server's data folder.
    ::shmid_ds segment{};
    const int number_of_segment = static_cast<int>(*id);
    if (::shmctl(number_of_segment, IPC_STAT, &segment) == 0 && segment.shm_nattch == 0 &&
        static_cast<std::uint32_t>(segment.shm_perm.__key) == static_cast<std::uint32_t>(*key))
      ::shmctl(number_of_segment, IPC_RMID, nullptr);
  }
}

}  // namespace cc::playground
