// A folder as a storage of backups, and any local file as one of a storage.
#pragma once

#include <memory>

#include "backup/storage.h"
#include "base/file.h"

namespace cc::backup {

// Made when something is put there. A file that is put is renamed where it can be, and else copied.
std::shared_ptr<Storage> folder(const Path& path);

File file_at(const Path& path);

}  // namespace cc::backup
