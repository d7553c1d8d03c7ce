// What a backup says of itself, as its first entry, manifest.json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "state/contents.h"

namespace cc::backup {

// Of the file's layout. A reader refuses a newer one.
inline constexpr std::int64_t kFormat = 1;

struct Manifest {
  std::int64_t format = kFormat;
  std::string product;  // version of the program that made it
  Wall time{};          // when
  std::uint64_t node_id = 0;
  state::Contents contents;  // schema, cluster, revision, counts; without its place in the log
  std::uint64_t state_bytes = 0;
  std::string state_sha256;  // hex, of state.db

  // JSON, for people too; its last member, "manifest_sha256", is of everything before that member.
  std::string encode() const;
  // corruption when it is not what encode() made, or what it says of itself is not so; invalid_argument, with what to
  // do, when it is of a newer format, or its state of a newer schema.
  static Result<Manifest> decode(std::string_view text);

  // "20261128T031500Z-r1042": sorts by time.
  std::string name() const;
};

}  // namespace cc::backup
