#include "backup/folder.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::backup {
namespace {

constexpr std::string_view kVerified = ".verified";

Path note_of(const Path& file) {
  return file.string() + std::string(kVerified);
}

// Which file was verified, and when; a file that was replaced since was not.
std::string note(std::uint64_t bytes, Wall time) {
  return fmt::format("{} {}\n", bytes, format_time(time));
}

std::optional<Wall> verified_at(const Path& file, std::uint64_t bytes) {
  const auto text = read_file(note_of(file));
  if (!text) return std::nullopt;
  const std::string_view line = trim(*text);
  const auto noted = parse_uint(line.substr(0, line.find(' ')), "bytes");
  const auto time = parse_time(line.substr(std::min(line.find(' ') + 1, line.size())));
  return noted && time && *noted == bytes ? std::optional(*time) : std::nullopt;
}

}  // namespace

Result<std::vector<Kept>> list(const Path& folder, std::string_view key) {
  std::vector<Kept> all;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != kEnding) continue;
    Kept one{.file = at->path()};
    std::error_code gone;
    one.bytes = at->file_size(gone);
    if (gone) continue;
    if (auto manifest = manifest_of(one.file, key)) {
      one.manifest = *std::move(manifest);
      one.verified = verified_at(one.file, one.bytes);
    } else {
      one.trouble = std::move(manifest).error().message;
    }
    all.push_back(std::move(one));
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(Code::unavailable, fmt::format("cannot read {}: {}", folder.string(), error.message()));
  std::ranges::sort(all, std::greater{}, [](const Kept& each) {
    return std::pair(each.manifest ? each.manifest->time : Wall::min(), each.file);
  });
  return all;
}

Result<> note_verified(const Path& file, Wall now) {
  std::error_code error;
  return write_file(note_of(file), note(std::filesystem::file_size(file, error), now), 0600);
}

std::vector<Kept> to_remove(const std::vector<Kept>& all, const Retention& retention, Wall now) {
  std::vector<Kept> out;
  std::size_t good = 0;
  bool have_old = false;
  for (const Kept& each : all) {
    if (!each.good()) {
      if (good > 0) out.push_back(each);
      continue;
    }
    const bool old = each.manifest->time + retention.max_age <= now;
    const bool stays = good == 0 || (good < retention.max_backups && !(old && have_old));
    if (stays) {
      ++good;
    } else {
      out.push_back(each);
    }
    have_old = have_old || (stays && old);
  }
  return out;
}

Result<> remove(const Kept& backup) {
  std::error_code error;
  // The note last: a file without one is not good, and goes the next time.
  std::filesystem::remove(backup.file, error);
  if (error) return fail(Code::unavailable, fmt::format("cannot remove {}: {}", backup.file.string(), error.message()));
  std::filesystem::remove(note_of(backup.file), error);
  return {};
}

}  // namespace cc::backup
