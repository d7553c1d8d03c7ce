#include "consensus/folder.h"

#include <sys/stat.h>
#include <system_error>

#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/little_endian.h"
#include "base/text.h"
#include "consensus/open_segment.h"

namespace cc::consensus {
namespace {

constexpr std::string_view kNodeFormat = "config-center log 1";

// "config-center log 1\nnode 7\n"
Result<> claim(const Path& folder, NodeId node) {
  const Path file = folder / "node";
  const std::string mine = fmt::format("{}\nnode {}\n", kNodeFormat, node);
  auto content = read_file(file);
  if (!content && content.error().code == Code::not_found) return write_file(file, mine);
  if (!content) return fail(std::move(content).error());
  if (*content == mine) return {};
  const auto lines = split(*content, '\n');
  if (lines.size() < 2 || lines[0] != kNodeFormat || !lines[1].starts_with("node ")) {
    return fail(Code::conflict,
                fmt::format("{} is not a log that this version can read (see the file \"node\" in it): use the version "
                            "that wrote it, or another folder",
                            folder.string()));
  }
  return fail(Code::conflict, fmt::format("{} belongs to {}, and this is node {}: correct raft.node_id, or use another "
                                          "folder",
                                          folder.string(), lines[1], node));
}

struct Found {
  std::map<unsigned long long, Path> open_segments;  // by their number
  std::optional<Index> first_closed;                 // of the entries in closed segments
  bool snapshot = false;
};

// The names that libraft gives its files.
Result<Found> look(const Path& folder) {
  Found found;
  std::set<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    names.insert(at->path().filename().string());
  }
  if (error) return fail(Code::unavailable, fmt::format("cannot read {}: {}", folder.string(), error.message()));
  for (const std::string& name : names) {
    unsigned long long first = 0;
    unsigned long long second = 0;
    unsigned long long third = 0;
    int used = 0;
    const int length = static_cast<int>(name.size());
    if (std::sscanf(name.c_str(), "%016llu-%016llu%n", &first, &second, &used) == 2 && used == length) {
      if (!found.first_closed || first < *found.first_closed) found.first_closed = first;
    } else if (std::sscanf(name.c_str(), "open-%llu%n", &first, &used) == 1 && used == length) {
      found.open_segments.emplace(first, folder / name);
    } else if (std::sscanf(name.c_str(), "snapshot-%llu-%llu-%llu%n", &first, &second, &third, &used) == 3 &&
               used == length && names.contains(name + ".meta")) {
      found.snapshot = true;
    }
  }
  return found;
}

// A crash in the middle of making the first log leaves a first term and no entry. Nothing was acknowledged
// yet, and libraft would neither make the log anew nor ever start.
Result<> clear_half_made_log(const Path& folder) {
  std::error_code error;
  if (std::filesystem::exists(folder / "metadata2", error)) return {};
  const auto metadata = read_file(folder / "metadata1");
  if (!metadata || metadata->size() < 16 ||
      get_little_endian<std::uint64_t>(std::string_view(*metadata).substr(8)) != 1) {
    return {};
  }
  std::filesystem::remove(folder / "metadata1", error);
  if (error)
    return fail(Code::unavailable,
                fmt::format("cannot remove {}: {}", (folder / "metadata1").string(), error.message()));
  return {};
}

}  // namespace

Result<Folder> Folder::open(const Path& path, NodeId node) {
  if (auto made = make_directories(path, 0700); !made) {
    return fail(Code::unavailable, std::move(made).error().message + ": correct the path or its permissions");
  }
  TRYV(claim(path, node));
  return Folder(path);
}

Result<bool> Folder::prepare() const {
  TRY(Found found, look(path_));
  if (!found.open_segments.empty()) {
    std::vector<Path> segments;
    segments.reserve(found.open_segments.size());
    for (const auto& [number, path] : found.open_segments)
      segments.push_back(path);
    TRYV(mend_open_segments(segments));
    TRY(found, look(path_));
  }
  if (!found.snapshot && !found.first_closed && found.open_segments.empty()) {
    TRYV(clear_half_made_log(path_));
    return false;
  }
  // Without a snapshot there is a segment: else it was returned above.
  const auto begins = [&] {
    return found.first_closed ? *found.first_closed == 1 : begins_a_log(found.open_segments.begin()->second);
  };
  if (!found.snapshot && !begins()) {
    return fail(
        Code::corruption,
        fmt::format("the log in {} lacks its beginning and has no snapshot: files were removed from it. Put them "
                    "back, or move the folder and the state away and restore a backup",
                    path_.string()));
  }
  return true;
}

std::uint64_t Folder::log_bytes() const noexcept {
  std::uint64_t total = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
    struct stat info{};
    if (::stat(at->path().c_str(), &info) == 0 && S_ISREG(info.st_mode))
      total += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  return total;
}

}  // namespace cc::consensus
