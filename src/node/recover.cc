#include "node/recover.h"

#include <fmt/format.h>

#include "consensus/log.h"
#include "node/data_folder.h"

namespace cc::node {
namespace {

// Opening would make the folder when it is mistyped.
Result<DataFolder> open_existing(const Settings& settings) {
  const Path log = settings.data_dir / "raft";
  std::error_code error;
  if (!std::filesystem::is_directory(log, error)) {
    return fail(Code::not_found, fmt::format("there is no log in {}: give the data folder of the node that has most of "
                                             "the log, on its own machine",
                                             log.string()));
  }
  return DataFolder::open(settings.data_dir);
}

consensus::Options options_of(const Settings& settings, const DataFolder& folder) {
  return {.directory = folder.path() / "raft", .node_id = settings.raft.node_id, .address = settings.raft.address};
}

}  // namespace

Result<consensus::Log::End> end_of_log(const Settings& settings) {
  TRY(const DataFolder folder, open_existing(settings));
  return consensus::Log::end_on_disk(options_of(settings, folder));
}

Result<consensus::Log::End> recover_group(const Settings& settings) {
  TRY(const DataFolder folder, open_existing(settings));
  return consensus::Log::recover(options_of(settings, folder));
}

}  // namespace cc::node
