#include "backup/backup.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "backup/damaged.h"
#include "backup/folder.h"
#include "backup/scratch.h"
#include "backup/seal.h"
#include "base/background.h"
#include "base/bytes.h"
#include "state/snapshot.h"

namespace cc::backup {
namespace {

constexpr const char* kManifestEntry = "manifest.json";
constexpr const char* kStateEntry = "state.db";
constexpr const char* kDumpEntry = "archive.dump";
constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::int64_t kLargestManifest = 64u << 10;
constexpr std::size_t kBlock = 64u << 10;
constexpr const char* kCompression = "1";  // of Zstandard: more takes twice as long for a tenth less

using Entry = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;

struct Summed {
  std::uint64_t bytes = 0;
  std::string sha256;
};
Result<Summed> sum_of(const Path& file) {
  Summed out;
  Sha256 hash;
  TRYV(read_in_pieces(file, [&](std::string_view piece) {
    hash.add(piece);
    out.bytes += piece.size();
    give_way();
  }));
  out.sha256 = to_hex(hash.finish());
  return out;
}

// --- writing ---

// The tar within the file.
class Packing {
 public:
  Packing(Writer& to, Wall time) : to_(to), time_(time) {}

  Result<> begin() {
    archive* const a = tar_.get();
    archive_write_set_format_pax_restricted(a);
    const bool opened = archive_write_add_filter_zstd(a) == ARCHIVE_OK &&
                        archive_write_set_filter_option(a, "zstd", "compression-level", kCompression) == ARCHIVE_OK &&
                        archive_write_set_bytes_in_last_block(a, 1) == ARCHIVE_OK &&
                        archive_write_open(a, this, nullptr, &Packing::take, nullptr) == ARCHIVE_OK;
    return opened ? Result<>{} : failed();
  }
  Result<> entry(const char* name, std::uint64_t size) {
    const Entry made(archive_entry_new(), &archive_entry_free);
    archive_entry_set_pathname(made.get(), name);
    archive_entry_set_size(made.get(), static_cast<la_int64_t>(size));
    archive_entry_set_filetype(made.get(), AE_IFREG);
    archive_entry_set_perm(made.get(), 0600);
    archive_entry_set_mtime(made.get(), std::chrono::floor<std::chrono::seconds>(time_).time_since_epoch().count(), 0);
    return archive_write_header(tar_.get(), made.get()) == ARCHIVE_OK ? Result<>{} : failed();
  }
  Result<> content(std::string_view bytes) {
    const auto written = archive_write_data(tar_.get(), bytes.data(), bytes.size());
    return written == static_cast<la_ssize_t>(bytes.size()) ? Result<>{} : failed();
  }
  Result<> finish() { return archive_write_close(tar_.get()) == ARCHIVE_OK ? Result<>{} : failed(); }

 private:
  static la_ssize_t take(archive*, void* self, const void* bytes, std::size_t size) {
    auto& packing = *static_cast<Packing*>(self);
    packing.how_ = packing.to_.write({static_cast<const char*>(bytes), size});
    return packing.how_ ? static_cast<la_ssize_t>(size) : -1;
  }
  Result<> failed() {
    if (!how_) return how_;
    const char* text = archive_error_string(tar_.get());
    return fail(Code::internal, fmt::format("packing a backup: {}", text != nullptr ? text : "unknown reason"));
  }

  Writer& to_;
  Wall time_;
  Result<> how_;
  std::unique_ptr<archive, decltype(&archive_write_free)> tar_{archive_write_new(), &archive_write_free};
};

// All bytes of what is in it beside the manifest.
std::uint64_t size_of(const Manifest& manifest) {
  return manifest.state_bytes + (manifest.history ? manifest.history->dump_bytes : 0);
}

// The files of `scratch` that the manifest names.
Result<> pack(const Manifest& manifest, const Scratch& scratch, const Path& file, std::string_view key,
              const Progress& progress) {
  TRY(Writer writer, Writer::create(file, key));
  Packing packing(writer, manifest.time);
  TRYV(packing.begin());
  const std::string text = manifest.encode();
  TRYV(packing.entry(kManifestEntry, text.size()));
  TRYV(packing.content(text));
  std::uint64_t done = 0;
  const auto add = [&](const char* name, const Path& from, std::uint64_t bytes) -> Result<> {
    TRYV(packing.entry(name, bytes));
    Result<> packed;
    TRYV(read_in_pieces(from, [&](std::string_view piece) {
      if (packed) packed = packing.content(piece);
      done += piece.size();
      if (progress) progress(done, size_of(manifest));
      give_way();
    }));
    return packed;
  };
  TRYV(add(kStateEntry, scratch.state(), manifest.state_bytes));
  if (manifest.history && manifest.history->included())
    TRYV(add(kDumpEntry, scratch.dump(), manifest.history->dump_bytes));
  TRYV(packing.finish());
  return writer.finish();
}

std::string name_of(const Manifest& manifest) {
  return manifest.name() + std::string(kEnding);
}

std::unexpected<Error> there_already(const std::string& where) {
  return fail(Code::already_exists, where + " is there already: a backup overwrites nothing");
}

// Copies the state as it is now, and has the history of the archive put beside it.
Result<Manifest> collect(const Source& source, const Scratch& scratch, Wall now) {
  {
    TRY(const auto held, state::hold_snapshot(source.state));
    TRYV(held->write(scratch.state()));
  }
  Manifest manifest{.product = CC_VERSION, .time = now, .node_id = source.node_id};
  TRY(manifest.contents, state::contents_of(scratch.state()));
  TRY(const Summed state, sum_of(scratch.state()));
  manifest.state_bytes = state.bytes;
  manifest.state_sha256 = state.sha256;
  if (!source.history) return manifest;
  TRY(History history, source.history(scratch.state(), scratch.dump()));
  std::error_code absent;
  if (std::filesystem::exists(scratch.dump(), absent)) {
    TRY(const Summed dump, sum_of(scratch.dump()));
    history.dump_bytes = dump.bytes;
    history.dump_sha256 = dump.sha256;
    manifest.format = kFormat;
  }
  manifest.history = std::move(history);
  return manifest;
}

// --- reading ---

class Unpacking {
 public:
  Unpacking(std::string where, Reader from) : where_(std::move(where)), from_(std::move(from)) {}

  Result<> begin() {
    archive* const a = tar_.get();
    const bool opened = archive_read_support_filter_zstd(a) == ARCHIVE_OK &&
                        archive_read_support_format_tar(a) == ARCHIVE_OK &&
                        archive_read_open(a, this, nullptr, &Unpacking::give, nullptr) == ARCHIVE_OK;
    return opened ? Result<>{} : failed();
  }
  // Its size.
  Result<std::int64_t> next(std::string_view name) {
    archive_entry* entry = nullptr;
    if (archive_read_next_header(tar_.get(), &entry) != ARCHIVE_OK) return fail(failed().error());
    const char* found = archive_entry_pathname(entry);
    if (found == nullptr || found != name) {
      return damaged(where_, fmt::format("{} is missing", name));
    }
    return archive_entry_size(entry);
  }
  // Empty at the end of the entry.
  Result<std::string_view> content() {
    const auto got = archive_read_data(tar_.get(), buffer_.data(), buffer_.size());
    if (got < 0) return fail(failed().error());
    return std::string_view(buffer_.data(), static_cast<std::size_t>(got));
  }
  // Reads what follows, which decides about what came before.
  Result<> end() {
    archive_entry* entry = nullptr;
    const int found = archive_read_next_header(tar_.get(), &entry);
    if (found == ARCHIVE_OK) return damaged(where_, "something is in it that its manifest does not know");
    if (found != ARCHIVE_EOF) return failed();
    while (true) {
      TRY(const std::string_view rest, from_.next());
      if (rest.empty()) return {};
    }
  }

 private:
  static la_ssize_t give(archive* a, void* self, const void** bytes) {
    auto& unpacking = *static_cast<Unpacking*>(self);
    auto piece = unpacking.from_.next();
    if (!piece) {
      unpacking.how_ = fail(std::move(piece).error());
      archive_set_error(a, EIO, "it cannot be read");
      return -1;
    }
    *bytes = piece->data();
    return static_cast<la_ssize_t>(piece->size());
  }
  Result<> failed() {
    if (!how_) return how_;
    const char* text = archive_error_string(tar_.get());
    return damaged(where_, text != nullptr ? text : "unknown reason");
  }

  std::string where_;
  Reader from_;
  Result<> how_;
  std::array<char, kBlock> buffer_{};
  std::unique_ptr<archive, decltype(&archive_read_free)> tar_{archive_read_new(), &archive_read_free};
};

Result<std::unique_ptr<Unpacking>> opened(const File& file, std::string_view key) {
  TRY(Reader reader, Reader::open(file, key));
  auto unpacking = std::make_unique<Unpacking>(file.where(), std::move(reader));
  TRYV(unpacking->begin());
  return unpacking;
}

Result<Manifest> read_manifest(Unpacking& unpacking) {
  TRY(const std::int64_t size, unpacking.next(kManifestEntry));
  if (size < 0 || size > kLargestManifest)
    return fail(Code::corruption, "the backup's manifest is damaged (its size): take another backup");
  std::string text;
  while (true) {
    TRY(const std::string_view piece, unpacking.content());
    if (piece.empty()) break;
    text += piece;
  }
  return Manifest::decode(text);
}

using Take = std::function<Result<>(std::string_view piece)>;

Result<> leave_out(std::string_view) {
  return {};
}

// Gives each piece of the state and of the dump, where there is one, to who takes it, and reads to the end.
Result<Manifest> read_all(const File& file, std::string_view key, const Take& take_state, const Take& take_dump,
                          const Progress& progress) {
  TRY(const auto unpacking, opened(file, key));
  TRY(Manifest manifest, read_manifest(*unpacking));
  std::uint64_t done = 0;
  const auto read_entry = [&](const char* name, const Take& take) -> Result<Summed> {
    TRYV(unpacking->next(name));
    Sha256 hash;
    Summed out;
    while (true) {
      TRY(const std::string_view piece, unpacking->content());
      if (piece.empty()) break;
      hash.add(piece);
      out.bytes += piece.size();
      TRYV(take(piece));
      done += piece.size();
      if (progress) progress(done, size_of(manifest));
      give_way();
    }
    out.sha256 = to_hex(hash.finish());
    return out;
  };
  TRY(const Summed state, read_entry(kStateEntry, take_state));
  if (state.bytes != manifest.state_bytes || state.sha256 != manifest.state_sha256)
    return damaged(file.where(), "the state in it is not what its manifest says");
  if (const auto& history = manifest.history; history && history->included()) {
    TRY(const Summed dump, read_entry(kDumpEntry, take_dump));
    if (dump.bytes != history->dump_bytes || dump.sha256 != history->dump_sha256)
      return damaged(file.where(), "the dump of the archive in it is not what its manifest says");
  }
  TRYV(unpacking->end());
  return manifest;
}

}  // namespace

Result<Created> create(const Source& source, const Path& to, std::string_view key, Wall now, const Progress& progress) {
  const auto must_be_new = [](const Path& file) -> Result<> {
    std::error_code absent;
    if (!std::filesystem::exists(std::filesystem::symlink_status(file, absent))) return {};
    return there_already(file.string());
  };
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(to, error);
  if (!is_folder) TRYV(must_be_new(to));
  TRY(const Scratch scratch, Scratch::make(source.scratch));
  TRY(const Manifest manifest, collect(source, scratch, now));
  const Path file = is_folder ? to / name_of(manifest) : to;
  TRYV(must_be_new(file));
  const Path beside = file.string() + std::string(kUnfinished);
  std::filesystem::remove(beside, error);  // of one that was killed
  TRYV(pack(manifest, scratch, beside, key, progress));
  const std::uint64_t bytes = std::filesystem::file_size(beside, error);
  if (auto moved = move_file(beside, file); !moved) {
    std::filesystem::remove(beside, error);
    return fail(std::move(moved).error());
  }
  return Created{.manifest = manifest, .file = file_at(file), .bytes = bytes};
}

Result<Created> create(const Source& source, const std::shared_ptr<Storage>& to, std::string_view key, Wall now,
                       const Progress& progress, const Progress& uploading) {
  TRY(const Scratch scratch, Scratch::make(source.scratch));
  TRY(const Manifest manifest, collect(source, scratch, now));
  const File file{to, name_of(manifest)};
  TRY(const auto there, to->list());
  if (std::ranges::find(there, file.name, &Stored::name) != there.end()) return there_already(file.where());
  TRYV(pack(manifest, scratch, scratch.packed(), key, progress));
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(scratch.packed(), error);
  std::filesystem::remove(scratch.state(), error);  // a large one need not wait for the network
  std::filesystem::remove(scratch.dump(), error);
  TRYV(to->put(file.name, scratch.packed(), uploading));
  return Created{.manifest = manifest, .file = file, .bytes = bytes};
}

Result<Manifest> manifest_of(const File& file, std::string_view key) {
  TRY(const auto unpacking, opened(file, key));
  return read_manifest(*unpacking);
}

Result<> must_have_dump(const Manifest& manifest, const std::string& name) {
  if (manifest.history && manifest.history->included()) return {};
  return fail(Code::not_found,
              fmt::format("{} has no history of the archive in it: it was made with backup.archive: referenced, or "
                          "without an archive",
                          name));
}

Result<Manifest> extract(const File& file, std::string_view key, const Path& to, const Progress& progress,
                         const Path& dump) {
  TRY(NewFile state, NewFile::create(to, 0600));
  const Take take_state = [&](std::string_view piece) { return state.write(piece); };
  if (dump.empty()) {
    TRY(Manifest manifest, read_all(file, key, take_state, leave_out, progress));
    TRYV(state.finish());
    return manifest;
  }
  TRY(NewFile beside, NewFile::create(dump, 0600));
  TRY(Manifest manifest,
      read_all(file, key, take_state, [&](std::string_view piece) { return beside.write(piece); }, progress));
  TRYV(must_have_dump(manifest, file.where()));
  TRYV(state.finish());
  TRYV(beside.finish());
  return manifest;
}

Result<Manifest> extract_dump(const File& file, std::string_view key, const Path& dump, const Progress& progress) {
  TRY(NewFile out, NewFile::create(dump, 0600));
  TRY(Manifest manifest,
      read_all(file, key, leave_out, [&](std::string_view piece) { return out.write(piece); }, progress));
  TRYV(must_have_dump(manifest, file.where()));
  TRYV(out.finish());
  return manifest;
}

Result<std::vector<ReleasePtr>> configs_in(const File& file, std::string_view key, const std::string& prefix,
                                           const Path& scratch, const Progress& progress) {
  TRY(const Scratch beside, Scratch::make(scratch));
  TRY(const Manifest manifest, extract(file, key, beside.state(), progress));
  TRY(auto found, state::configs_in(beside.state(), prefix));
  if (found.empty())
    return fail(Code::not_found,
                fmt::format("there was no config in {} at revision {}", prefix, manifest.contents.position.revision));
  return found;
}

Result<Manifest> verify(const File& file, std::string_view key, Level level, const Path& scratch,
                        const Progress& progress, const std::function<Result<>(const Path& dump)>& read_dump) {
  if (level == Level::checksums) return read_all(file, key, leave_out, leave_out, progress);
  TRY(const Scratch beside, Scratch::make(scratch));
  TRY(const Manifest said, manifest_of(file, key));
  const bool reads_dump = read_dump && said.history && said.history->included();
  TRY(Manifest manifest, extract(file, key, beside.state(), progress, reads_dump ? beside.dump() : Path()));
  TRY(const state::Contents contents, state::read_all_rows(beside.state()));
  if (!(contents == manifest.contents))
    return damaged(file.where(), "its state does not hold what its manifest counts");
  if (reads_dump) TRYV(read_dump(beside.dump()));
  return manifest;
}

}  // namespace cc::backup
