#include "backup/kept.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::backup {
namespace {

// Endings of the notes beside a file.
constexpr std::string_view kVerified = ".verified", kRestored = ".restored";
constexpr std::size_t kLongestNote = 100;
constexpr std::size_t kPiece = 8u << 20;  // that is downloaded at once

std::string note_of(std::string_view name, std::string_view ending) {
  return fmt::format("{}{}", name, ending);
}

// Which file was verified, and when; a file that was replaced since was not.
std::string note(std::uint64_t bytes, Wall time) {
  return fmt::format("{} {}\n", bytes, format_time(time));
}

// What a storage says of a file when it has answered: the others are listed nevertheless.
bool is_of_the_file(const Error& error) {
  return error.code != Code::unavailable && error.code != Code::timeout;
}

// When that was noted, if it was. A note that cannot be read is none.
Result<std::optional<Wall>> noted_at(Storage& storage, const std::vector<Stored>& files, const Stored& file,
                                     std::string_view ending) {
  const std::string name = note_of(file.name, ending);
  if (std::ranges::find(files, name, &Stored::name) == files.end()) return std::nullopt;
  const auto text = storage.get(name, 0, kLongestNote);
  if (!text && is_of_the_file(text.error())) return std::nullopt;
  if (!text) return fail(text.error());
  const std::string_view line = trim(*text);
  const auto noted = parse_uint(line.substr(0, line.find(' ')), "bytes");
  const auto time = parse_time(line.substr(std::min(line.find(' ') + 1, line.size())));
  return noted && time && *noted == file.bytes ? std::optional(*time) : std::nullopt;
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
    TRY(one.verified, noted_at(*storage, files, file, kVerified));
    TRY(one.restored, noted_at(*storage, files, file, kRestored));
    all.push_back(std::move(one));
  }
  std::ranges::sort(all, std::greater{}, [](const Kept& each) {
    return std::pair(each.manifest ? each.manifest->time : Wall::min(), each.file.name);
  });
  return all;
}

Result<> note_verified(const File& file, Wall now) {
  TRY(const std::uint64_t bytes, size_of(file));
  return file.storage->put_text(note_of(file.name, kVerified), note(bytes, now));
}

Result<> note_restored(const File& file, Wall now) {
  TRYV(note_verified(file, now));
  TRY(const std::uint64_t bytes, size_of(file));
  return file.storage->put_text(note_of(file.name, kRestored), note(bytes, now));
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
  // The notes last, which tidy() finds: a file without them would no longer be good.
  const auto& [storage, name] = backup.file;
  TRYV(storage->remove(name));
  TRYV(storage->remove(note_of(name, kVerified)));
  if (backup.restored) TRYV(storage->remove(note_of(name, kRestored)));
  return {};
}

Result<> tidy(Storage& storage) {
  TRYV(storage.tidy());
  TRY(const auto files, storage.list());
  for (const Stored& note : files) {
    for (const std::string_view ending : {kVerified, kRestored}) {
      if (!note.name.ends_with(ending)) continue;
      const std::string_view of = std::string_view(note.name).substr(0, note.name.size() - ending.size());
      if (!of.ends_with(kEnding) || std::ranges::find(files, of, &Stored::name) != files.end()) continue;
      TRYV(storage.remove(note.name));
    }
  }
  return {};
}

}  // namespace cc::backup
