#include "backup/kept.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::backup {
namespace {

constexpr std::string_view kVerified = ".verified";
constexpr std::size_t kLongestNote = 100;
constexpr std::size_t kPiece = 8u << 20;  // that is downloaded at once

std::string note_of(std::string_view name) {
  return fmt::format("{}{}", name, kVerified);
}

// Which file was verified, and when; a file that was replaced since was not.
std::string note(std::uint64_t bytes, Wall time) {
  return fmt::format("{} {}\n", bytes, format_time(time));
}

Result<std::optional<Wall>> verified_at(Storage& storage, const Stored& file) {
  TRY(const std::string text, storage.get(note_of(file.name), 0, kLongestNote));
  const std::string_view line = trim(text);
  const auto noted = parse_uint(line.substr(0, line.find(' ')), "bytes");
  const auto time = parse_time(line.substr(std::min(line.find(' ') + 1, line.size())));
  return noted && time && *noted == file.bytes ? std::optional(*time) : std::nullopt;
}

// What a storage says of a file when it has answered: the others are listed nevertheless.
bool is_of_the_file(const Error& error) {
  return error.code != Code::unavailable && error.code != Code::timeout;
}

Result<std::uint64_t> size_of(const File& file) {
  TRY(const auto files, file.storage->list());
  const auto found = std::ranges::find(files, file.name, &Stored::name);
  if (found == files.end()) return fail(Code::not_found, fmt::format("there is no {}", file.where()));
  return found->bytes;
}

}  // namespace

Result<std::vector<Kept>> list(const std::shared_ptr<Storage>& storage, std::string_view key) {
  TRY(const auto files, storage->list());
  std::vector<Kept> all;
  for (const Stored& file : files) {
    if (!file.name.ends_with(kEnding)) continue;
    Kept one{.file = {storage, file.name}, .bytes = file.bytes};
    if (auto manifest = manifest_of(one.file, key)) {
      one.manifest = *std::move(manifest);
    } else if (is_of_the_file(manifest.error())) {
      one.foreign = manifest.error().code == Code::invalid_argument;
      one.trouble = std::move(manifest).error().message;
    } else {
      return fail(std::move(manifest).error());
    }
    if (std::ranges::find(files, note_of(file.name), &Stored::name) != files.end()) {
      auto verified = verified_at(*storage, file);
      if (!verified && !is_of_the_file(verified.error())) return fail(std::move(verified).error());
      one.verified = verified.value_or(std::nullopt);
    }
    all.push_back(std::move(one));
  }
  std::ranges::sort(all, std::greater{}, [](const Kept& each) {
    return std::pair(each.manifest ? each.manifest->time : Wall::min(), each.file.name);
  });
  return all;
}

Result<> note_verified(const File& file, Wall now) {
  TRY(const std::uint64_t bytes, size_of(file));
  return file.storage->put_text(note_of(file.name), note(bytes, now));
}

Result<std::uint64_t> download(const File& file, const Path& to, const Progress& progress) {
  TRY(const std::uint64_t bytes, size_of(file));
  TRY(NewFile out, NewFile::create(to, 0600));
  std::uint64_t done = 0;
  while (done < bytes) {
    TRY(const std::string piece, file.storage->get(file.name, done, kPiece));
    if (piece.empty())
      return fail(Code::unavailable, fmt::format("{} was replaced meanwhile: try again", file.where()));
    TRYV(out.write(piece));
    done += piece.size();
    if (progress) progress(done, bytes);
  }
  TRYV(out.finish());
  return done;
}

std::vector<Kept> to_remove(const std::vector<Kept>& all, const Retention& retention, Wall now) {
  std::vector<Kept> out;
  std::size_t good = 0;
  bool have_old = false;
  for (const Kept& each : all) {
    if (!each.good()) {
      if (good > 0 && !each.foreign) out.push_back(each);
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
  // The note last: a file without one is not good, and goes the next time.
  TRYV(backup.file.storage->remove(backup.file.name));
  return backup.file.storage->remove(note_of(backup.file.name));
}

}  // namespace cc::backup
