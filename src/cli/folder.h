// A folder tree on disk as entries of a zip, and back: what export writes and import reads.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/zip.h"

namespace cc::cli {

// Every regular file below `folder`, by name; hidden files and folders (".git") are left out, and with `include` all
// whose file name does not match it ("*.yml"). not_found when there is no such folder.
Result<std::vector<ZipEntry>> read_folder(const Path& folder, const std::string& include);

// Makes folders and files; files of the same name are replaced, others are left alone.
Result<> write_folder(const Path& folder, const std::vector<ZipEntry>& entries);

}  // namespace cc::cli
