#include "cli/rendered_files.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/file.h"
#include "cli/topology_file.h"
#include "deploy/secrets.h"

namespace cc::cli {

Result<> write_rendered(Session& session, const std::string& folder, const std::string& topology, FilesOfHost files) {
  TRY(const deploy::Topology of, read_topology_file(topology));
  TRY(const deploy::Secrets secrets, deploy::keep_secrets(secrets_folder(topology, of)));
  boost::json::array told;
  Table table({"HOST", "FILE", "MODE", "OWNER"});
  for (const deploy::Host& host : of.hosts) {
    for (const deploy::RenderedFile& file : files(of, secrets, host)) {
      const Path path = Path(folder) / host.name / file.path.substr(1);
      const std::string mode = fmt::format("{:04o}", file.mode);
      TRYV(make_directories(path.parent_path(), 0700));
      TRYV(write_file(path, file.content, file.mode & 0700));
      told.push_back({{"host", host.name}, {"file", file.path}, {"mode", mode}, {"owner", file.owner}});
      table.add({host.name, file.path, mode, file.owner});
    }
  }
  return session.print({{"folder", folder}, {"files", told}}, [&] {
    return fmt::format("{}\nwrote {} below {}\n", table.to_text(), counted(told.size(), "file"), folder);
  });
}

}  // namespace cc::cli
