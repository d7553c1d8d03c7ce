// The files of hosts, written into a folder to look at.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/session.h"
#include "deploy/rendering.h"

namespace cc::cli {

using FilesOfHosts = std::vector<std::pair<const deploy::Host*, deploy::RenderedFiles>>;

// Each as FOLDER/HOST/PATH, for you alone, since secrets may be in it; prints which these are.
Result<> write_rendered(Session& session, const std::string& folder, const FilesOfHosts& hosts);

}  // namespace cc::cli
