#include "cli/backup_output.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/table.h"
#include "base/text.h"
#include "cli/session.h"

namespace cc::cli {

boost::json::object json_of(const backup::Manifest& manifest) {
  boost::json::object out = boost::json::parse(manifest.encode()).as_object();
  out["name"] = manifest.name();
  return out;
}

boost::json::object json_of(const backup::Kept& kept) {
  boost::json::object out;
  if (kept.manifest) out = json_of(*kept.manifest);
  out["file"] = kept.file.where();
  out["size"] = kept.bytes;
  out["verified"] = kept.verified ? format_time(*kept.verified) : "";
  out["restored"] = kept.restored ? format_time(*kept.restored) : "";
  out["trouble"] = kept.trouble;
  return out;
}

std::string place_of(const backup::History& history) {
  return fmt::format("{} (port {}), database {}", history.hosts, history.port, history.database);
}

std::string text_of(const backup::Manifest& manifest) {
  const auto& contents = manifest.contents;
  Table table({"WHAT", "IS"});
  const auto row = [&](std::string what, std::string is) { table.add({std::move(what), std::move(is)}); };
  row("made", fmt::format("{} by config-center {}, on node {}", format_time(manifest.time), manifest.product,
                          manifest.node_id));
  row("cluster", contents.position.cluster_id);
  row("revision", std::to_string(contents.position.revision));
  row("configs", std::to_string(contents.configs));
  row("releases", std::to_string(contents.releases));
  row("environments", std::to_string(contents.environments));
  row("applications", std::to_string(contents.applications));
  row("drafts", std::to_string(contents.drafts));
  row("users", std::to_string(contents.users));
  row("audit records", std::to_string(contents.audit_records));
  row("state", fmt::format("{}, schema {}", format_size(manifest.state_bytes), contents.schema));
  if (const auto& history = manifest.history) {
    row("archive", place_of(*history));
    if (!history->trouble.empty()) {
      row("archived", "not known: " + history->trouble);
    } else {
      row("archived", fmt::format("up to revision {}, release {}, audit record {}", history->revision,
                                  history->last_release, history->last_audit));
    }
    row("history", history->included() ? fmt::format("included, {}", format_size(history->dump_bytes))
                                       : "referenced: it is in the archive alone");
  }
  return table.to_text();
}

std::string text_of(const state::Since& since) {
  if (since.configs.empty() && since.others.empty())
    return fmt::format("nothing was changed since revision {}\n", since.from);
  std::string out = fmt::format("since revision {} (now {}): {}, {}\n\n", since.from, since.revision,
                                counted(since.configs.size(), "config"), counted(since.others.size(), "other change"));
  Table table({"WHAT", "CHANGED", "BY", "AT"});
  for (const auto& config : since.configs) {
    table.add({config.key, config.deleted ? "deleted" : fmt::format("now version {}", config.version), config.author,
               format_time(config.time)});
  }
  for (const auto& other : since.others)
    table.add({other.target, other.action, other.actor, format_time(other.time)});
  return out + table.to_text();
}

backup::Progress StateProgress::teller() {
  return [this](std::uint64_t done, std::uint64_t all) {
    if (!bar_) bar_ = std::make_unique<Progress>(label_, all);
    bar_->advance(done - told_);
    told_ = done;
    if (done == all) bar_.reset();
  };
}

}  // namespace cc::cli
