#include "service/transfer.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "base/zip.h"
#include "model/listing.h"
#include "service/change.h"
#include "service/content.h"
#include "service/on_worker.h"

namespace cc::service {
namespace {

namespace json = boost::json;

constexpr std::size_t kPageOfView = 1000;
constexpr std::size_t kMostFaultsTold = 100;
// Of one I/O thread; each may hold Limits::transfer from when it is unpacked until it is committed.
constexpr unsigned kImportsAtOnce = 2;

// One file of an import.
struct File {
  ConfigKey key;
  std::string name;  // in the zip
  std::string content;
  Format format = Format::text;
  bool secret = false;   // listed as such; else as the config is
  ReleasePtr published;  // what is there now; null: nothing
  Sums sums;

  bool unchanged() const {
    return published && !published->deleted && published->format == format && published->sha256 == sums.sha256 &&
           (published->secret || !secret);
  }
};

// What is wrong with an import, file by file. Names of files may be anything.
class Faults {
 public:
  void add(std::string_view file, const Error& error) {
    if (++count_ > kMostFaultsTold) return;
    json::object fault{{"name", printable(file)}, {"message", error.message}};
    boost::system::error_code none;
    if (const json::value details = json::parse(error.details, none); !none && details.is_object()) {
      for (const auto& member : details.get_object())
        fault[member.key()] = member.value();
    }
    if (faults_.empty()) first_ = fmt::format("{}: {}", printable(file), error.message);
    faults_.push_back(std::move(fault));
  }

  Result<> verdict(std::size_t files) const {
    if (faults_.empty()) return {};
    return fail(Code::invalid_argument,
                fmt::format("nothing was imported: {} of {} files cannot be; the first is {}", count_, files, first_),
                json::serialize(json::object{{"count", count_}, {"errors", faults_}}));
  }

 private:
  std::size_t count_ = 0;
  json::array faults_;  // the first of them
  std::string first_;
};

std::string prefix_of(const std::string& environment, const std::string& application) {
  return application.empty() ? environment + '/' : environment + '/' + application + '/';
}

std::vector<ReleasePtr> visible(const Context& context, const Call& call, const std::string& prefix) {
  std::vector<ReleasePtr> found;
  std::string after;
  for (;;) {
    auto page = context.view.list(prefix, after, kPageOfView);
    if (page.empty()) return found;
    after = page.back()->key_text;
    std::ranges::copy_if(page, std::back_inserter(found), [&](const ReleasePtr& release) {
      return call.caller->may(Permission::read, release->key.environment, release->key.application);
    });
  }
}

Result<> must_exist(const state::Queries& queries, const std::string& environment, const std::string& application) {
  TRY(const auto environments, queries.environments());
  if (std::ranges::none_of(environments, [&](const Environment& one) { return one.name == environment; })) {
    return fail(Code::not_found, fmt::format("there is no environment \"{}\"", environment));
  }
  if (!application.empty()) TRYV(queries.application(application));
  return {};
}

// What it holds stands in memory until it is sent.
Result<> check_total(const Limits& limits, const std::vector<ReleasePtr>& releases) {
  std::uint64_t total = 0;
  for (const ReleasePtr& release : releases)
    total += release->content.size();
  if (total <= limits.transfer) return {};
  return fail(Code::exhausted,
              fmt::format("the configs have {} in all; an export holds at most {}, eight times the setting "
                          "server.max_body: export application by application",
                          format_size(total), format_size(limits.transfer)),
              fmt::format(R"({{"size_bytes":{},"limit_bytes":{}}})", total, limits.transfer));
}

Result<std::string> pack(const std::vector<ReleasePtr>& releases, std::size_t strip) {
  ZipWriter zip;
  Listing listing;
  for (const ReleasePtr& release : releases) {
    const std::string name = release->key_text.substr(strip);
    TRYV(zip.add(name, release->content));
    const Listed listed{.format = release->format, .secret = release->secret};
    if (must_be_listed(name, listed)) listing.emplace(name, listed);
  }
  if (!listing.empty()) TRYV(zip.add(std::string(kListingFile), write_listing(listing)));
  return zip.finish();
}

// Names to keys. Whatever is no config's name is a fault.
std::vector<File> files_of(std::vector<ZipEntry> entries, const std::string& prefix, Faults& faults) {
  std::vector<File> files;
  std::set<ConfigKey> seen;
  for (ZipEntry& entry : entries) {
    if (entry.name.ends_with('/')) continue;  // a folder
    auto key = ConfigKey::parse(prefix + entry.name);
    if (!key) {
      faults.add(entry.name, key.error());
    } else if (!seen.insert(*key).second) {
      faults.add(entry.name, {.code = Code::invalid_argument, .message = "is there twice"});
    }
    files.push_back({.key = key ? *std::move(key) : ConfigKey{},
                     .name = std::move(entry.name),
                     .content = std::move(entry.content),
                     .format = Format::text,
                     .secret = false,
                     .published = nullptr,
                     .sums = {}});
  }
  return files;
}

Result<> check_all(const Limits& limits, std::vector<File>& files, Faults& faults, const Deadline& until) {
  for (File& file : files) {
    if (until.passed()) {
      return fail(Code::timeout,
                  "the files could not all be checked within the time limit of the request (setting server.timeout); "
                  "nothing was imported: import application by application");
    }
    if (file.key.name.empty()) continue;  // a fault already
    if (auto fits = check_size(limits, file.content, file.key.name); !fits) {
      faults.add(file.name, fits.error());
    } else if (auto sums = check_content(file.format, file.content, file.key.name); sums) {
      file.sums = *std::move(sums);
    } else {
      faults.add(file.name, sums.error());
    }
  }
  return {};
}

Result<std::vector<ZipEntry>> unpack(const Limits& limits, std::string_view zip) {
  auto entries = read_zip(zip, limits.transfer);
  if (entries) return entries;
  Error error = std::move(entries).error();
  error.message = printable(error.message);  // it may quote a name
  if (error.code == Code::exhausted) {
    error.message += ", eight times the setting server.max_body: import application by application";
    error.details = fmt::format(R"({{"limit_bytes":{}}})", limits.transfer);
  }
  return fail(std::move(error));
}

Result<> authorise_import(Context& context, const Call& call, const Import& import, const std::vector<File>& files) {
  std::set<std::string> applications;
  for (const File& file : files) {
    if (!file.key.application.empty()) applications.insert(file.key.application);
  }
  for (const std::string& application : applications) {
    TRYV(authorise(context, call, Permission::publish, "config.import", prefix_of(import.environment, application),
                   import.environment, application));
  }
  return {};
}

Change forecast(const Context& context, const std::vector<File>& files) {
  Change change{.published = {}, .revision = context.view.revision()};
  for (const File& file : files) {
    const bool unchanged = file.unchanged();
    const Version version = file.published ? file.published->version : 0;
    change.created = change.created || !file.published;
    change.published.push_back({.key = file.key.to_string(),
                                .version = unchanged ? version : version + 1,
                                .revision = unchanged ? file.published->revision : 0,
                                .md5 = file.sums.md5,
                                .sha256 = file.sums.sha256,
                                .unchanged = unchanged});
  }
  return change;
}

log::Command command_of(Import& import, std::vector<File>& files) {
  log::Command command;
  log::PublishConfigs& publishing = *command.mutable_publish_configs();
  publishing.set_comment(std::move(import.comment));
  publishing.set_action("config.import");
  publishing.set_skip_unchanged(true);
  for (File& file : files) {
    auto& one = *publishing.add_configs();
    put(file.key, *one.mutable_key());
    one.set_format(std::string(to_string(file.format)));
    one.set_content(std::move(file.content));
    one.set_md5(std::move(file.sums.md5));
    one.set_sha256(std::move(file.sums.sha256));
    if (file.secret) one.set_secret(true);
  }
  return command;
}

}  // namespace

Task<Result<std::string>> export_configs(Context& context, const Call& call, const std::string& environment,
                                         const std::string& application) {
  const std::string prefix = prefix_of(environment, application);
  CO_TRYV(check_name(environment, "environment"));
  if (!application.empty()) CO_TRYV(check_name(application, "application"));
  const std::vector<ReleasePtr> releases = visible(context, call, prefix);
  if (releases.empty()) {
    CO_TRYV(authorise(context, call, Permission::read, "config.export", prefix, environment, application));
  }
  CO_TRYV(check_total(context.limits, releases));
  co_return co_await ask(context, call, Work::search, [&](const state::Queries& queries) -> Result<std::string> {
    if (releases.empty()) TRYV(must_exist(queries, environment, application));
    return pack(releases, prefix.size());
  });
}

Task<Result<Change>> import_configs(Context& context, const Call& call, Import import) {
  const std::string prefix = prefix_of(import.environment, import.application);
  CO_TRYV(check_name(import.environment, "environment"));
  if (!import.application.empty()) CO_TRYV(check_name(import.application, "application"));
  // Before anything is unpacked: who may import nothing there has no part of the zip looked at.
  if (!import.application.empty() || !call.caller->may_somewhere(Permission::publish, import.environment)) {
    CO_TRYV(
        authorise(context, call, Permission::publish, "config.import", prefix, import.environment, import.application));
  }
  CO_TRYV(check_text(context.limits, import.comment, "comment"));

  CO_TRY(const Place place, Place::take(context.imports, kImportsAtOnce));
  Faults faults;
  Listing listing;
  CO_TRY(std::vector<File> files,
         co_await on_worker(context, call, Work::document, [&](const Deadline&) -> Result<std::vector<File>> {
           TRY(auto entries, unpack(context.limits, import.zip));
           TRY(listing, take_listing(entries));
           return files_of(std::move(entries), prefix, faults);
         }));
  import.zip = {};
  if (files.empty()) co_return fail(Code::invalid_argument, "the zip holds no files");
  CO_TRYV(authorise_import(context, call, import, files));
  for (File& file : files) {
    file.published = context.view.find(file.key.to_string());
    const auto listed = listing.find(file.name);
    file.secret = listed != listing.end() && listed->second.secret;
    file.format = listed != listing.end()                      ? listed->second.format
                  : file.published && !file.published->deleted ? file.published->format
                                                               : format_of_name(file.key.name);
  }
  CO_TRYV(co_await on_worker(context, call, Work::document, [&](const Deadline& until) -> Result<> {
    TRYV(check_all(context.limits, files, faults, until));
    return faults.verdict(files.size());
  }));
  if (import.dry_run) {
    CO_TRYV(co_await ask(context, call, Work::question,
                         [&](const state::Queries& queries) { return must_exist(queries, import.environment, ""); }));
    co_return forecast(context, files);
  }
  CO_TRY(log::Outcome outcome, co_await propose(context, call, command_of(import, files)));
  co_return change_of(std::move(outcome));
}

}  // namespace cc::service
