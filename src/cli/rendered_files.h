// The files of hosts, written into a folder to look at.
#pragma once

#include <string>

#include "cli/session.h"
#include "deploy/rendering.h"

namespace cc::cli {

using FilesOfHost = deploy::RenderedFiles (*)(const deploy::Topology&, const deploy::Secrets&, const deploy::Host&);

// What `files` has for each host of a topology, as FOLDER/HOST/PATH, for you alone, since secrets may be in it: those
// that are not there yet are made. Prints which files these are.
Result<> write_rendered(Session& session, const std::string& folder, const std::string& topology, FilesOfHost files);

}  // namespace cc::cli
