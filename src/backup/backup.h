// A backup: one file, with a manifest and the whole state at one revision, as tar, compressed with Zstandard, sealed
// with the installation's key unless somebody asked otherwise. Written and read in pieces, whatever its size.
//
// It is of the state, and so of no particular node, group or log: it is restored to a group of any size. The history in
// the archive may be part of it, as a file that is none of its business: who hands it in knows how to bring it back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backup/manifest.h"
#include "backup/storage.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "model/words.h"

namespace cc::backup {

// "…/20261128T031500Z-r1042.ccbackup"
inline constexpr std::string_view kEnding = ".ccbackup";

struct Source {
  Path state;    // a node's state.db; the node may run, and need not
  Path scratch;  // a folder on a disk with room for a copy of it, and for the backup where that is put in a storage
  std::uint64_t node_id = 0;
  // Where there is an archive: what the manifest says of it. What it makes under the name `dump` becomes part of the
  // backup. `copy` is the state that is in the backup. An error of it is one of create().
  std::function<Result<History>(const Path& copy, const Path& dump)> history = {};
};
struct Created {
  Manifest manifest;
  File file;
  std::uint64_t bytes = 0;
};
// Writes a new file, and gives it its name when it is whole and on disk: `to`, or where that is a folder, the
// manifest's name in it. already_exists when something is there. `key`: empty for one that is not sealed.
Result<Created> create(const Source& source, const Path& to, std::string_view key, Wall now,
                       const Progress& progress = {});
// Makes it beside, and puts it in the storage under the manifest's name. `uploading` is told of the second.
Result<Created> create(const Source& source, const std::shared_ptr<Storage>& to, std::string_view key, Wall now,
                       const Progress& progress = {}, const Progress& uploading = {});

// Reads the manifest alone: who has damaged what follows is not noticed.
Result<Manifest> manifest_of(const File& file, std::string_view key);

// Makes `to`, the state as it was; reads the backup to its end before, and removes `to` again when anything of it is
// not as it was written. With a `dump` makes that, too, of the dump of the archive: not_found when there is none in it.
Result<Manifest> extract(const File& file, std::string_view key, const Path& to, const Progress& progress = {},
                         const Path& dump = {});
// The refusal of extract() of one whose manifest says that there is none. `name`: what people call it.
Result<> must_have_dump(const Manifest& manifest, const std::string& name);
// The dump of the archive alone, just so.
Result<Manifest> extract_dump(const File& file, std::string_view key, const Path& dump, const Progress& progress = {});

// What was published in it below a prefix of keys ("dev/shop/"), or under that key; by key. not_found when nothing was.
Result<std::vector<ReleasePtr>> configs_in(const File& file, std::string_view key, const std::string& prefix,
                                           const Path& scratch, const Progress& progress = {});

// How thoroughly a backup is looked at. Each does what those before it do.
enum class Level {
  checksums,  // read to its end, each part against its checksum
  rows,       // the state opened, every row read, each content against its checksum, counts against the manifest
};
// With Level::rows `read_dump` is given the dump of the archive, where there is one in it; what it finds wrong is wrong
// with the backup.
Result<Manifest> verify(const File& file, std::string_view key, Level level, const Path& scratch,
                        const Progress& progress = {}, const std::function<Result<>(const Path& dump)>& read_dump = {});

}  // namespace cc::backup
