// The whole state as bytes: a header that says what it is, then the SQLite file as it was.
//
//   "CCSTATE1"  applied u64  applied_crc u32  revision u64  cluster_id (u16 length, bytes)  image size u64
//   crc32 of all that u32  SHA-256 of the image 32 bytes  image
//
// Numbers are little-endian.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "state/state.h"

namespace cc::state {

struct ReadSnapshot {
  Position position;
  std::string_view image;  // points into the snapshot
  std::string_view sha256;
};

// Reads the header; does not verify the image. corruption when it is no snapshot, or cut short.
Result<ReadSnapshot> read_snapshot(std::string_view snapshot);

// Holds what is committed now, on a connection of its own, until it is read or forgotten.
Result<std::unique_ptr<State::Snapshot>> hold_snapshot(const Path& file);

}  // namespace cc::state
