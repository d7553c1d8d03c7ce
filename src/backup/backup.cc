#include "backup/backup.h"

#include <array>
#include <cerrno>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "backup/damaged.h"
#include "backup/seal.h"
#include "base/bytes.h"
#include "state/snapshot.h"

namespace cc::backup {
namespace {

constexpr const char* kManifestEntry = "manifest.json";
constexpr const char* kStateEntry = "state.db";
constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::int64_t kLargestManifest = 64u << 10;
constexpr std::size_t kBlock = 64u << 10;
constexpr const char* kCompression = "1";  // of Zstandard: more takes twice as long for a tenth less

using Entry = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;

// A folder for as long as it takes.
class Scratch {
 public:
  explicit Scratch(const Path& in) : in_(in), path_(in / ("backup-" + to_hex(random_bytes(6)))) {}
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
    std::filesystem::remove(in_, ignored);  // when nothing else is in it
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Result<> make() const { return make_directories(path_, 0700); }
  Path file() const { return path_ / "state.db"; }

 private:
  Path in_, path_;
};

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

Result<> pack(const Manifest& manifest, const Path& state, const Path& file, std::string_view key,
              const Progress& progress) {
  TRY(Writer writer, Writer::create(file, key));
  Packing packing(writer, manifest.time);
  TRYV(packing.begin());
  const std::string text = manifest.encode();
  TRYV(packing.entry(kManifestEntry, text.size()));
  TRYV(packing.content(text));
  TRYV(packing.entry(kStateEntry, manifest.state_bytes));
  Result<> packed;
  std::uint64_t done = 0;
  TRYV(read_in_pieces(state, [&](std::string_view piece) {
    if (packed) packed = packing.content(piece);
    done += piece.size();
    if (progress) progress(done, manifest.state_bytes);
  }));
  TRYV(packed);
  TRYV(packing.finish());
  return writer.finish();
}

// --- reading ---

class Unpacking {
 public:
  Unpacking(Path file, Reader from) : path_(std::move(file)), from_(std::move(from)) {}

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
      return damaged(path_, fmt::format("{} is missing", name));
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
    if (archive_read_next_header(tar_.get(), &entry) != ARCHIVE_EOF) return failed();
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
    return damaged(path_, text != nullptr ? text : "unknown reason");
  }

  Path path_;
  Reader from_;
  Result<> how_;
  std::array<char, kBlock> buffer_{};
  std::unique_ptr<archive, decltype(&archive_read_free)> tar_{archive_read_new(), &archive_read_free};
};

Result<std::unique_ptr<Unpacking>> opened(const Path& file, std::string_view key) {
  TRY(Reader reader, Reader::open(file, key));
  auto unpacking = std::make_unique<Unpacking>(file, std::move(reader));
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

// Gives each piece of the state to `take`, and reads to the end.
Result<Manifest> read_all(const Path& file, std::string_view key, const std::function<Result<>(std::string_view)>& take,
                          const Progress& progress) {
  TRY(const auto unpacking, opened(file, key));
  TRY(const Manifest manifest, read_manifest(*unpacking));
  TRYV(unpacking->next(kStateEntry));
  Sha256 hash;
  std::uint64_t done = 0;
  while (true) {
    TRY(const std::string_view piece, unpacking->content());
    if (piece.empty()) break;
    hash.add(piece);
    done += piece.size();
    TRYV(take(piece));
    if (progress) progress(done, manifest.state_bytes);
  }
  if (done != manifest.state_bytes || to_hex(hash.finish()) != manifest.state_sha256) {
    return damaged(file, "the state in it is not what its manifest says");
  }
  TRYV(unpacking->end());
  return manifest;
}

}  // namespace

Result<Created> create(const Source& source, const Path& to, std::string_view key, Wall now, const Progress& progress) {
  const auto must_be_new = [](const Path& file) -> Result<> {
    std::error_code absent;
    if (!std::filesystem::exists(std::filesystem::symlink_status(file, absent))) return {};
    return fail(Code::already_exists, file.string() + " is there already: a backup overwrites nothing");
  };
  std::error_code error;
  const bool folder = std::filesystem::is_directory(to, error);
  if (!folder) TRYV(must_be_new(to));
  const Scratch scratch(source.scratch);
  TRYV(scratch.make());
  TRY(const auto held, state::hold_snapshot(source.state));
  TRYV(held->write(scratch.file()));
  Created out{.manifest = {.product = CC_VERSION, .time = now, .node_id = source.node_id}};
  Manifest& manifest = out.manifest;
  TRY(manifest.contents, state::contents_of(scratch.file()));
  TRY(const Summed sum, sum_of(scratch.file()));
  manifest.state_bytes = sum.bytes;
  manifest.state_sha256 = sum.sha256;
  out.file = folder ? to / (manifest.name() + std::string(kEnding)) : to;
  TRYV(must_be_new(out.file));
  const Path beside = out.file.string() + std::string(kUnfinished);
  std::filesystem::remove(beside, error);  // of one that was killed
  TRYV(pack(manifest, scratch.file(), beside, key, progress));
  out.bytes = std::filesystem::file_size(beside, error);
  if (auto moved = move_file(beside, out.file); !moved) {
    std::filesystem::remove(beside, error);
    return fail(std::move(moved).error());
  }
  return out;
}

Result<Manifest> manifest_of(const Path& file, std::string_view key) {
  TRY(const auto unpacking, opened(file, key));
  return read_manifest(*unpacking);
}

Result<Manifest> extract(const Path& file, std::string_view key, const Path& to, const Progress& progress) {
  TRY(NewFile out, NewFile::create(to, 0600));
  TRY(Manifest manifest, read_all(file, key, [&](std::string_view piece) { return out.write(piece); }, progress));
  TRYV(out.finish());
  return manifest;
}

Result<std::vector<ReleasePtr>> configs_in(const Path& file, std::string_view key, const std::string& prefix,
                                           const Path& scratch, const Progress& progress) {
  const Scratch folder(scratch);
  TRYV(folder.make());
  TRY(const Manifest manifest, extract(file, key, folder.file(), progress));
  TRY(auto found, state::configs_in(folder.file(), prefix));
  if (found.empty())
    return fail(Code::not_found,
                fmt::format("there was no config in {} at revision {}", prefix, manifest.contents.position.revision));
  return found;
}

Result<Manifest> verify(const Path& file, std::string_view key, Level level, const Path& scratch,
                        const Progress& progress) {
  if (level == Level::checksums) return read_all(file, key, [](std::string_view) -> Result<> { return {}; }, progress);
  const Scratch folder(scratch);
  TRYV(folder.make());
  TRY(Manifest manifest, extract(file, key, folder.file(), progress));
  TRY(const state::Contents contents, state::read_all_rows(folder.file()));
  if (!(contents == manifest.contents)) return damaged(file, "its state does not hold what its manifest counts");
  return manifest;
}

}  // namespace cc::backup
