#include "cli/folder.h"

#include <algorithm>

#include <fmt/format.h>
#include <fnmatch.h>

#include "cli/terminal.h"

namespace cc::cli {
namespace {

bool is_hidden(const Path& path) {
  return path.filename().string().starts_with('.');
}

Result<std::vector<Path>> files_below(const Path& folder, const std::string& include) {
  std::vector<Path> files;
  std::error_code error;
  auto at = std::filesystem::recursive_directory_iterator(folder, error);
  while (!error && at != std::filesystem::recursive_directory_iterator()) {
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file(error) &&
               (include.empty() || ::fnmatch(include.c_str(), at->path().filename().c_str(), 0) == 0)) {
      files.push_back(at->path());
    }
    at.increment(error);
  }
  if (error) {
    return fail(error == std::errc::no_such_file_or_directory ? Code::not_found : Code::internal,
                fmt::format("read folder {}: {}", folder.string(), error.message()));
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

Result<std::vector<ZipEntry>> read_folder(const Path& folder, const std::string& include) {
  TRY(const std::vector<Path> files, files_below(folder, include));
  std::vector<ZipEntry> entries;
  Progress progress("reading", files.size());
  for (const Path& file : files) {
    TRY(std::string content, read_file(file));
    entries.push_back({file.lexically_relative(folder).generic_string(), std::move(content)});
    progress.advance();
  }
  return entries;
}

Result<> write_folder(const Path& folder, const std::vector<ZipEntry>& entries) {
  Progress progress("writing", entries.size());
  for (const ZipEntry& entry : entries) {
    const Path file = folder / entry.name;
    TRYV(make_directories(file.parent_path()));
    TRYV(write_file(file, entry.content));
    progress.advance();
  }
  return {};
}

}  // namespace cc::cli
