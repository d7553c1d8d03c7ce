#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/address.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

struct Options {
  std::string actor, action, target, outcome, from, to, export_file;
  Page page{.limit = 100, .cursor = {}};
};

Result<Query> query_of(const Options& options) {
  Query query = {
      {"actor", options.actor}, {"action", options.action}, {"target", options.target}, {"outcome", options.outcome}};
  const Wall now = SystemClock().wall();
  for (const auto& [name, text] :
       {std::pair<std::string_view, const std::string&>{"from", options.from}, {"to", options.to}}) {
    if (text.empty()) continue;
    TRY(const Wall time, parse_time_or_ago(text, now));
    query.emplace_back(name, format_time(time));
  }
  return query;
}

// Counts lines, and keeps the last: of an export that broke off it says why.
class Lines {
 public:
  void take(std::string_view bytes) {
    for (const char c : bytes) {
      if (complete_) last_.clear();
      complete_ = c == '\n';
      if (complete_) {
        ++count_;
      } else {
        last_ += c;
      }
    }
  }
  std::uint64_t count() const { return count_; }
  Result<> whole() const {
    boost::system::error_code error;
    const boost::json::value last = boost::json::parse(last_.empty() ? "{}" : last_, error);
    const boost::json::value* failure = last.is_object() ? last.get_object().if_contains("error") : nullptr;
    if (!error && complete_ && failure == nullptr) return {};
    return fail(Code::unavailable,
                fmt::format("the export broke off after {}: {}", counted(count_ > 0 ? count_ - 1 : 0, "audit record"),
                            failure != nullptr ? member_text(*failure, "message") : "the end is missing"));
  }

 private:
  std::uint64_t count_ = 0;
  std::string last_;
  bool complete_ = true;
};

Result<> export_records(Session& session, const Options& options, const Query& query) {
  const bool to_output = options.export_file == "-";
  std::optional<NamedFile> file;
  if (!to_output) {
    TRY(NamedFile opened, NamedFile::open(options.export_file, 0600));
    file.emplace(std::move(opened));
  }
  Lines lines;
  Result<> written;
  TRY(const http::ClientResponse answer, session.stream({.target = with_query("/v1/audit", query),
                                                         .headers = {{"Accept", "application/x-ndjson"}},
                                                         .wait = std::chrono::minutes(10)},
                                                        [&](std::string_view bytes) {
                                                          lines.take(bytes);
                                                          written =
                                                              to_output ? write_output(bytes) : file->write(bytes);
                                                          return written.has_value();
                                                        }));
  TRYV(std::move(written));
  if (answer.status >= 400) return fail(session.error_of_answer(answer));
  TRYV(lines.whole());
  if (to_output) return {};
  TRYV(file->finish());
  return session.print({{"to", options.export_file}, {"records", lines.count()}}, [&] {
    return fmt::format("exported {} to {}\n", counted(lines.count(), "audit record"), options.export_file);
  });
}

Result<> audit(Session& session, const Options& options) {
  TRY(const Query query, query_of(options));
  if (!options.export_file.empty()) return export_records(session, options, query);
  TRY(const boost::json::array records, session.list("/v1/audit", query, options.page));
  return session.print_list(records,
                            {{"ID", "id"},
                             {"TIME", "time"},
                             {"ACTOR", "actor"},
                             {"ADDRESS", "address"},
                             {"ACTION", "action"},
                             {"TARGET", "target"},
                             {"OUTCOME", "outcome"},
                             {"COUNT", "count"},
                             {"REVISION", "revision"},
                             {"MESSAGE", "message"}},
                            "no audit record matches");
}

}  // namespace

void add_audit(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "audit", "See who did what, and what was refused, newest first");
  command->add_option("--actor", options->actor, "By this user or access key")->type_name("NAME");
  command->add_option("--action", options->action, "Such as config.publish or login")->type_name("ACTION");
  command->add_option("--target", options->target, "Start of what it was done to")->type_name("TEXT");
  command->add_option("--outcome", options->outcome, "done, or the reason of a refusal: permission_denied, ...")
      ->type_name("OUTCOME");
  command->add_option("--from", options->from, "Since a time, or for so long: 2026-01-02, 24h")->type_name("TIME");
  command->add_option("--to", options->to, "Before a time, or until so long ago")->type_name("TIME");
  command->add_option("--export", options->export_file, "Write all that match as JSON lines; - is standard output")
      ->type_name("FILE");
  add_page_options(*command, options->page);
  command->footer(examples({
      "config-center audit --from 24h",
      "config-center audit --target prod/shop --action config.publish",
      "config-center audit --outcome permission_denied -o json",
      "config-center audit --from 2026-01-01 --export audit.ndjson",
  }));
  on_run(*command, session, [&session, options] { return audit(session, *options); });
}

}  // namespace cc::cli
