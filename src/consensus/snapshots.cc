#include "consensus/snapshots.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/little_endian.h"
#include "base/text.h"
#include "consensus/say.h"

namespace cc::consensus {
namespace {

constexpr std::string_view kMagic = "CCSNAP02";
constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::size_t kSha256 = 32;
// Magic, index, CRC of the command, CRC of the reference, bytes; the SHA-256 follows.
constexpr std::size_t kIndexAt = 8, kCommandCrcAt = 16, kCrcAt = 20, kBytesAt = 24, kShaAt = 32;
constexpr auto kFirstDelay = std::chrono::seconds(10);
constexpr auto kLongestDelay = std::chrono::seconds(600);

// Of the reference without its own checksum.
std::uint32_t checksum_of(std::string encoded) {
  put_little_endian(encoded.data() + kCrcAt, std::uint32_t{0});
  return crc32(encoded);
}

}  // namespace

std::string SnapshotReference::encode() const {
  std::string out(kShaAt, '\0');
  std::ranges::copy(kMagic, out.begin());
  put_little_endian(out.data() + kIndexAt, applied.index);
  put_little_endian(out.data() + kCommandCrcAt, applied.crc);
  put_little_endian(out.data() + kBytesAt, bytes);
  out += sha256;
  put_little_endian(out.data() + kCrcAt, checksum_of(out));
  return out;
}

Result<SnapshotReference> SnapshotReference::decode(std::string_view bytes) {
  if (bytes.size() != kShaAt + kSha256 || !bytes.starts_with(kMagic))
    return fail(Code::corruption, "the snapshot is not one of this program, or of a newer version of it");
  if (get_little_endian<std::uint32_t>(bytes.substr(kCrcAt)) != checksum_of(std::string(bytes)))
    return fail(Code::corruption, "the reference to a snapshot is damaged: its checksum does not match");
  return SnapshotReference{.applied = {.index = get_little_endian<std::uint64_t>(bytes.substr(kIndexAt)),
                                       .crc = get_little_endian<std::uint32_t>(bytes.substr(kCommandCrcAt))},
                           .bytes = get_little_endian<std::uint64_t>(bytes.substr(kBytesAt)),
                           .sha256 = std::string(bytes.substr(kShaAt))};
}

Snapshots::Snapshots(const Path& log_folder, std::uint64_t min_free_disk)
    : folder_(log_folder / "snapshots"), min_free_disk_(min_free_disk), delay_(kFirstDelay) {}

Path Snapshots::file(Index index) const {
  return folder_ / fmt::format("{:020}", index);
}

Result<> Snapshots::prepare() const {
  TRYV(make_directories(folder_, 0700));
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->path().extension() == kUnfinished) std::filesystem::remove(at->path(), ignored);
  }
  return {};
}

bool Snapshots::may_begin(std::uint64_t bytes) {
  if (std::chrono::steady_clock::now() < not_before_) return false;
  const auto room = room_for(bytes);
  if (!room) failed(room.error());
  return room.has_value();
}

Result<> Snapshots::room_for(std::uint64_t bytes) const {
  const auto room = free_space(folder_);
  if (!room || *room >= bytes + min_free_disk_) return {};
  return fail(Code::unavailable, fmt::format("{} are free on the disk of {}, and a snapshot takes {}: make room",
                                             format_size(*room), folder_.string(), format_size(bytes)));
}

Result<SnapshotReference> Snapshots::write(StateMachine::Snapshot& snapshot) const {
  const Path done = file(snapshot.applied().index);
  const Path beside = done.string() + std::string(kUnfinished);
  const auto write_it = [&]() -> Result<SnapshotReference> {
    std::error_code error;
    std::filesystem::remove(beside, error);
    TRYV(snapshot.write(beside));
    TRYV(sync_file(beside));
    SnapshotReference reference{.applied = snapshot.applied()};
    Sha256 hash;
    TRYV(read_in_pieces(beside, [&](std::string_view piece) {
      hash.add(piece);
      reference.bytes += piece.size();
    }));
    reference.sha256 = hash.finish();
    TRYV(move_file(beside, done));
    return reference;
  };
  auto written = write_it();
  std::error_code ignored;
  if (!written) std::filesystem::remove(beside, ignored);
  return written;
}

void Snapshots::failed(const Error& why) {
  not_before_ = std::chrono::steady_clock::now() + delay_;
  log.warn("a snapshot was not taken; will try again, and the log grows until then",
           {{"error", why}, {"after_s", delay_.count()}});
  delay_ = std::min<std::chrono::seconds>(2 * delay_, kLongestDelay);
}

void Snapshots::done(const SnapshotReference& reference) {
  delay_ = kFirstDelay;
  const Path newest = file(reference);
  const Path before = file(std::exchange(last_, reference.applied.index));
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->path().has_extension()) continue;  // on its way here
    if (at->path() != newest && at->path() != before) std::filesystem::remove(at->path(), ignored);
  }
}

Path Snapshots::file_to_fetch() {
  return folder_ / fmt::format("fetched.{}{}", ++fetches_, kUnfinished);
}

Result<> Snapshots::verify(const Path& path, const SnapshotReference& reference) const {
  Sha256 hash;
  std::uint64_t bytes = 0;
  auto read = read_in_pieces(path, [&](std::string_view piece) {
    hash.add(piece);
    bytes += piece.size();
  });
  if (!read && read.error().code != Code::not_found) return read;
  if (read && bytes == reference.bytes && hash.finish() == reference.sha256) return {};
  return fail(Code::corruption, fmt::format("the snapshot {} is {}: restore a backup, or let the node join its group "
                                            "again",
                                            path.string(), read ? "damaged" : "missing"));
}

std::uint64_t Snapshots::bytes_on_disk() const noexcept {
  return size_of_tree(folder_);
}

}  // namespace cc::consensus
