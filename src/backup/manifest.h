// What a backup says of itself, as its first entry, manifest.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "model/words.h"
#include "state/contents.h"

namespace cc::backup {

// Of the file's layout. A reader refuses a newer one.
//
//   1  manifest.json, state.db
//   2  and archive.dump
//
// Each backup has the oldest that is true of it: one without a dump is read by programs that know no dumps.
inline constexpr std::int64_t kFormat = 2, kFormatWithoutDump = 1;

// Of the archive in PostgreSQL, when one was configured.
struct History {
  std::string hosts, database;  // as the settings of the node name them
  std::uint16_t port = 0;
  std::string trouble;                             // why it could not be asked: how far it was is not known then
  Revision revision = 0;                           // everything up to it was there
  std::uint64_t last_release = 0, last_audit = 0;  // the numbers of the newest rows
  std::uint64_t dump_bytes = 0;
  std::string dump_sha256;  // hex, of archive.dump; empty: the backup says where the history is, and does not have it
  bool included() const { return !dump_sha256.empty(); }
};

struct Manifest {
  std::int64_t format = kFormatWithoutDump;
  std::string product;  // version of the program that made it
  Wall time{};          // when
  std::uint64_t node_id = 0;
  state::Contents contents;  // schema, cluster, revision, counts; without its place in the log
  std::uint64_t state_bytes = 0;
  std::string state_sha256;  // hex, of state.db
  std::optional<History> history;

  // JSON, for people too; its last member, "manifest_sha256", is of everything before that member.
  std::string encode() const;
  // corruption when it is not what encode() made, or what it says of itself is not so; invalid_argument, with what to
  // do, when it is of a newer format, or its state of a newer schema.
  static Result<Manifest> decode(std::string_view text);

  // "20261128T031500Z-r1042": sorts by time.
  std::string name() const;
};

}  // namespace cc::backup
