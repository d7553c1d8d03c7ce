#include "deploy/monitoring_check.h"

#include <algorithm>
#include <iterator>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/process.h"
#include "base/text.h"
#include "deploy/monitoring.h"

namespace cc::deploy {
namespace {

constexpr std::string_view kPlace = "/etc/prometheus/";

std::string replace_all(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

Error without(std::string_view program) {
  return {.code = Code::not_found,
          .message = fmt::format("{0} is not installed here: apt-get install {1}", program, package_of(program))};
}

// The program's own words, of which the last lines say what is wrong.
Result<std::string> said_by(const std::vector<std::string>& command, const Deadline& until) {
  auto finished = run_process(command, "", until);
  if (!finished && finished.error().code == Code::not_found) return fail(without(command.front()));
  if (!finished) return fail(std::move(finished).error());
  if (!finished->good()) return fail(Code::invalid_argument, std::string(trim(finished->output + finished->errors)));
  return std::move(finished->output);
}

Finding found(const Host& host, std::string check, const Result<std::string>& said) {
  if (said) return {.host = host.name, .check = std::move(check)};
  const Verdict verdict = said.error().code == Code::not_found ? Verdict::not_tested : Verdict::fail;
  return {.host = host.name, .check = std::move(check), .verdict = verdict, .message = said.error().message};
}

// What the panels of a dashboard ask, as rules, since promtool checks no other queries.
std::string as_rules(const std::string& dashboard) {
  boost::json::array rules;
  const boost::json::value parsed = boost::json::parse(dashboard);
  for (const auto& panel : parsed.at("panels").as_array()) {
    for (const auto& target : panel.at("targets").as_array()) {
      std::string query(target.at("expr").as_string());
      // As long as the time shown and the width of the panel say, which nobody knows here.
      for (const std::string_view range : {"$__rate_interval", "$__interval", "$__range"})
        query = replace_all(query, range, "1m");
      rules.push_back({{"record", fmt::format("query:number:{}", rules.size())}, {"expr", query}});
    }
  }
  return boost::json::serialize(
      boost::json::object{{"groups", boost::json::array{{{"name", "queries"}, {"rules", std::move(rules)}}}}});
}

Result<std::vector<Finding>> check_files(const RenderedFiles& files, const Host& host, const Path& work,
                                         const Deadline& until) {
  const std::string place = (work / kPlace.substr(1)).string() + "/";
  std::vector<Finding> all;
  for (const RenderedFile& file : files) {
    const Path path = work / file.path.substr(1);
    TRYV(make_directories(path.parent_path(), 0700));
    // What it names is here for now.
    TRYV(write_file(path, replace_all(file.content, kPlace, place)));
    if (!file.validator.empty()) {
      std::vector<std::string> command;
      for (const std::string_view word : split(file.validator, ' '))
        command.push_back(word == "{}" ? path.string() : std::string(word));
      all.push_back(found(host, file.path, said_by(command, until)));
    } else if (file.path.starts_with(kDashboardsFolder)) {
      const Path queries = path.string() + ".rules.yml";
      TRYV(write_file(queries, as_rules(file.content)));
      all.push_back(found(host, file.path, said_by({"promtool", "check", "rules", queries.string()}, until)));
    }
  }
  return all;
}

}  // namespace

std::string_view package_of(std::string_view program) {
  return program == "amtool" ? "prometheus-alertmanager" : "prometheus";
}

Result<std::vector<Finding>> check_monitoring(const Topology& topology, const Path& work, const Deadline& until) {
  std::vector<Finding> all;
  for (const Host& host : topology.hosts) {
    // No secret is in what is checked.
    TRY(std::vector<Finding> some,
        check_files(monitoring_files(topology, Secrets{}, host), host, work / host.name, until));
    std::ranges::move(some, std::back_inserter(all));
  }
  return all;
}

Result<std::vector<std::string>> receivers_of(const Path& settings, const std::vector<std::string>& labels,
                                              const Deadline& until) {
  std::vector<std::string> command{"amtool", "config", "routes", "test", "--config.file=" + settings.string()};
  std::ranges::copy(labels, std::back_inserter(command));
  TRY(const std::string said, said_by(command, until));
  const auto names = split(trim(said), ',');
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace cc::deploy
