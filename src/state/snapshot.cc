#include "state/snapshot.h"

#include <concepts>
#include <optional>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/bytes.h"
#include "state/connections.h"
#include "state/database.h"
#include "state/tip.h"

namespace cc::state {
namespace {

constexpr std::string_view kMagic = "CCSTATE1";
constexpr std::size_t kSha256 = 32;
constexpr unsigned kBitsOfByte = 8;

template <std::unsigned_integral Number>
void put(std::string& to, Number number) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    to.push_back(static_cast<char>(number >> (kBitsOfByte * i)));
}

// Takes numbers and bytes from the front; nothing more once something was missing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view bytes(std::size_t count) {
    if (rest_.size() < count) {
      missing_ = true;
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  template <std::unsigned_integral Number>
  Number number() {
    Number number = 0;
    const std::string_view from = bytes(sizeof(Number));
    for (std::size_t i = 0; i < from.size(); ++i)
      number |= static_cast<Number>(Number{static_cast<unsigned char>(from[i])} << (kBitsOfByte * i));
    return number;
  }
  bool missing() const { return missing_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool missing_ = false;
};

std::string header_of(const Position& position, std::uint64_t image_size) {
  std::string header(kMagic);
  put<std::uint64_t>(header, position.applied);
  put<std::uint32_t>(header, position.applied_crc);
  put<std::uint64_t>(header, position.revision);
  put<std::uint16_t>(header, static_cast<std::uint16_t>(position.cluster_id.size()));
  header += position.cluster_id;
  put<std::uint64_t>(header, image_size);
  put<std::uint32_t>(header, crc32(header));
  return header;
}

class HeldSnapshot final : public State::Snapshot {
 public:
  HeldSnapshot(Path file, std::unique_ptr<Database> database, Position position)
      : file_(std::move(file)), database_(std::move(database)), position_(std::move(position)) {}

  Result<std::string> read() override {
    if (!database_) return fail(Code::internal, "the snapshot was read already");
    return guarded(file_, [&]() -> Result<std::string> {
      // Within the read transaction that holds the state: later commits do not show.
      sqlite3_int64 size = 0;
      const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> image(
          sqlite3_serialize(database_->handle(), "main", &size, 0), &sqlite3_free);
      if (!image) throw SQLite::Exception(database_->handle());
      database_.reset();
      const std::string_view bytes(reinterpret_cast<const char*>(image.get()), static_cast<std::size_t>(size));
      std::string snapshot = header_of(position_, bytes.size());
      snapshot.reserve(snapshot.size() + kSha256 + bytes.size());
      snapshot += sha256(bytes);
      snapshot += bytes;
      return snapshot;
    });
  }

 private:
  Path file_;
  std::unique_ptr<Database> database_;  // null once read
  Position position_;
};

}  // namespace

Result<ReadSnapshot> read_snapshot(std::string_view snapshot) {
  Reader reader(snapshot);
  ReadSnapshot read;
  if (reader.bytes(kMagic.size()) != kMagic)
    return fail(Code::corruption, "these bytes are no snapshot of a state (or one of a newer version)");
  read.position.applied = reader.number<std::uint64_t>();
  read.position.applied_crc = reader.number<std::uint32_t>();
  read.position.revision = reader.number<std::uint64_t>();
  read.position.cluster_id = reader.bytes(reader.number<std::uint16_t>());
  const auto size = reader.number<std::uint64_t>();
  const std::string_view header = snapshot.substr(0, snapshot.size() - reader.rest().size());
  const auto crc = reader.number<std::uint32_t>();
  read.sha256 = reader.bytes(kSha256);
  read.image = reader.rest();
  if (reader.missing() || crc != crc32(header) || size != read.image.size()) {
    return fail(Code::corruption, fmt::format("the snapshot is damaged or cut short: {} bytes; take another copy of it",
                                              snapshot.size()));
  }
  return read;
}

Result<std::unique_ptr<State::Snapshot>> hold_snapshot(const Path& file) {
  return guarded(file, [&]() -> Result<std::unique_ptr<State::Snapshot>> {
    auto database = open_reader(file);
    database->execute("BEGIN");
    Position position = read_position(*database);  // the first question is what begins to hold the state
    return std::make_unique<HeldSnapshot>(file, std::move(database), std::move(position));
  });
}

}  // namespace cc::state
