// What a tree of files does not tell of the configs in it. Beside them stands a file that lists the format of each
// config whose name does not tell it, every secret config, and every hidden one, so that hidden files which are none
// are not taken for configs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/zip.h"
#include "model/words.h"

namespace cc {

// At the top of the tree. No config of an environment or an application is called so there: their names have a folder.
constexpr std::string_view kListingFile = ".config-center.json";

struct Listed {
  Format format = Format::text;
  bool secret = false;
  bool operator==(const Listed&) const = default;
};
using Listing = std::map<std::string, Listed, std::less<>>;  // by name in the tree

// Whether the file must name a config.
bool must_be_listed(std::string_view name, const Listed& config);
// Whether a segment of the name begins with a dot.
bool is_hidden(std::string_view name);

// {"configs": {"default/.env": "text", "default/passwords.json": {"format": "json", "secret": true}}}
std::string write_listing(const Listing& listing);
// invalid_argument that names the file when it is none of ours.
Result<Listing> read_listing(std::string_view text);

// Takes the file out of a tree; empty when there is none.
Result<Listing> take_listing(std::vector<ZipEntry>& tree);

}  // namespace cc
