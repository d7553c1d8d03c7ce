#include "cli/folder.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include "base/table.h"
#include "cli/terminal.h"

namespace cc::cli {
namespace {

// The files of a folder that are taken, and what is not, by reason.
class Finder {
 public:
  Finder(const Path& folder, const Selection& selection, const Listing& listing)
      : folder_(folder), selection_(selection), listing_(listing) {}

  Result<std::vector<Path>> find() {
    std::error_code error;
    const Path top = std::filesystem::canonical(folder_, error);
    auto at = std::filesystem::recursive_directory_iterator(folder_, error);
    for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
      const std::string name = at->path().lexically_relative(folder_).generic_string();
      std::error_code gone;
      const bool directory = at->is_directory(gone) && !at->is_symlink(gone);
      if (is_hidden(name) && !may_be_taken(name, directory)) {
        if (name != kListingFile) hidden_.push_back(directory ? name + "/" : name);
        if (directory) at.disable_recursion_pending();
      } else if (directory || !matches(at->path())) {
        continue;
      } else if (at->is_symlink(gone) && (at->is_directory(gone) || !stays_below(top, at->path()))) {
        links_.push_back(name);
      } else if (at->is_regular_file(gone)) {
        files_.push_back(at->path());
      } else {
        others_.push_back(name);
      }
    }
    if (error) {
      return fail(error == std::errc::no_such_file_or_directory ? Code::not_found : Code::internal,
                  fmt::format("read folder {}: {}", folder_.string(), error.message()));
    }
    std::ranges::sort(files_);
    return std::move(files_);
  }

  std::vector<std::string> left_out() {
    std::vector<std::string> out;
    for (auto& [reason, names] : {std::pair("hidden", &hidden_), std::pair("links to elsewhere or to folders", &links_),
                                  std::pair("no regular files", &others_)}) {
      constexpr std::size_t kMostNamed = 5;
      if (names->empty()) continue;
      std::ranges::sort(*names);
      const std::size_t more = names->size() > kMostNamed ? names->size() - kMostNamed : 0;
      names->resize(names->size() - more);
      out.push_back(fmt::format("{}: {}{}", reason, visible(fmt::format("{}", fmt::join(*names, ", "))),
                                more > 0 ? fmt::format(" and {} more", more) : ""));
    }
    return out;
  }

 private:
  // Hidden, but asked for or listed; of a folder, whether something in it is.
  bool may_be_taken(const std::string& name, bool directory) const {
    if (name == kListingFile) return false;
    if (selection_.hidden) return true;
    if (!directory) return listing_.contains(name);
    const auto first = listing_.lower_bound(name + "/");
    return first != listing_.end() && first->first.starts_with(name + "/");
  }
  bool matches(const Path& file) const {
    return selection_.include.empty() || ::fnmatch(selection_.include.c_str(), file.filename().c_str(), 0) == 0;
  }
  static bool stays_below(const Path& top, const Path& link) {
    std::error_code error;
    const Path target = std::filesystem::canonical(link, error);
    return !error && std::ranges::mismatch(top, target).in1 == top.end();
  }

  const Path& folder_;
  const Selection& selection_;
  const Listing& listing_;
  std::vector<Path> files_;
  std::vector<std::string> hidden_, links_, others_;
};

// On a file system one name cannot be a file and a folder.
Result<> check_names(std::vector<std::string> names) {
  std::ranges::sort(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string folder = names[i] + "/";
    const auto below = std::lower_bound(names.begin() + static_cast<std::ptrdiff_t>(i), names.end(), folder);
    if (below == names.end() || !below->starts_with(folder)) continue;
    return fail(Code::invalid_argument,
                fmt::format("a folder cannot hold both {} and {}: export to a file that ends in .zip, which can",
                            names[i], *below));
  }
  return {};
}

}  // namespace

Result<Tree> read_folder(const Path& folder, const Selection& selection) {
  Tree tree;
  if (auto listed = read_file(folder / kListingFile)) {
    TRY(tree.listing, read_listing(*listed));
  } else if (listed.error().code != Code::not_found && std::filesystem::is_directory(folder)) {
    return fail(std::move(listed).error());
  }
  Finder finder(folder, selection, tree.listing);
  TRY(const std::vector<Path> files, finder.find());
  tree.left_out = finder.left_out();
  Progress progress("reading", files.size());
  for (const Path& file : files) {
    TRY(std::string content, read_file(file));
    tree.entries.push_back({file.lexically_relative(folder).generic_string(), std::move(content)});
    progress.advance();
  }
  return tree;
}

Result<> write_folder(const Path& folder, const Tree& tree) {
  std::vector<std::string> names;
  names.reserve(tree.entries.size());
  for (const ZipEntry& entry : tree.entries)
    names.push_back(entry.name);
  TRYV(check_names(std::move(names)));
  TRYV(make_directories(folder, 0777));
  Progress progress("writing", tree.entries.size());
  for (const ZipEntry& entry : tree.entries) {
    const Path file = folder / entry.name;
    TRYV(make_directories(file.parent_path(), 0777));
    TRYV(write_named_file(file, entry.content));
    progress.advance();
  }
  // One of an earlier export must not speak for this one.
  std::error_code error;
  const Path listing = folder / kListingFile;
  if (tree.listing.empty() && !std::filesystem::exists(listing, error)) return {};
  return write_named_file(listing, write_listing(tree.listing));
}

namespace {

Result<std::string> zip_of(const Tree& tree) {
  std::vector<ZipEntry> entries = tree.entries;
  if (!tree.listing.empty()) entries.push_back({std::string(kListingFile), write_listing(tree.listing)});
  auto zip = write_zip(entries);
  if (!zip && zip.error().code == Code::invalid_argument) zip.error().message += "; export to a folder";
  return zip;
}

}  // namespace

Result<> write_tree(const std::string& to, const Tree& tree) {
  if (to != "-" && !to.ends_with(".zip")) return write_folder(to, tree);
  TRY(const std::string zip, zip_of(tree));
  return write_file_or_output(to, zip);
}

}  // namespace cc::cli
