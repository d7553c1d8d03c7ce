// Moving many configs at once: a whole environment or application as a zip.
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "service/configs.h"
#include "service/context.h"

namespace cc::service {

// Published configs that the caller may read, as <app>/<cluster>/<name>, or of one application as <cluster>/<name>; and
// kListingFile where a name does not tell all. not_found when there is no such environment or application;
// exhausted when it is more than limits.transfer.
Task<Result<std::string>> export_configs(Context& context, const Call& call, const std::string& environment,
                                         const std::string& application);

struct Import {
  std::string environment, application;  // application "": the zip's first folders are applications
  std::string zip;
  std::string comment;
  bool dry_run = false;  // say what would be done, and do nothing
};

// All in one commit or none. A config gets the format that kListingFile names, else keeps its own, else has its name's;
// it is secret when that says so, or when it was. Configs that are so already are left alone. An error names the files
// that are in the way: in its message the first, in details {"count","errors":[{"name","message",…}]} their number and
// the first hundred.
Task<Result<Change>> import_configs(Context& context, const Call& call, Import import);

}  // namespace cc::service
