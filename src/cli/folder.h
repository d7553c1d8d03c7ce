// A folder tree on disk as entries of a zip, and back: what export writes and import reads.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/zip.h"
#include "model/listing.h"

namespace cc::cli {

struct Selection {
  std::string include;  // only files whose name matches ("*.yml"); empty: all
  bool hidden = false;  // hidden files as well, which are taken otherwise only when the listing names them
};

struct Tree {
  std::vector<ZipEntry> entries;  // by name
  Listing listing;                // what the listing in it names
  // What is not taken, as a person would find it: "hidden: .git/, default/.a.swp".
  std::vector<std::string> left_out;
};

// Every regular file below `folder`. Links are followed as long as they stay below it. not_found when there is no such
// folder.
Result<Tree> read_folder(const Path& folder, const Selection& selection);

// Makes folders and files; files of the same name are replaced, others are left alone. invalid_argument, before
// anything is written, when one name is the folder of another.
Result<> write_folder(const Path& folder, const Tree& tree);

// To a folder, as above; or as a zip, to a file that ends in .zip, or to standard output for "-".
Result<> write_tree(const std::string& to, const Tree& tree);

}  // namespace cc::cli
