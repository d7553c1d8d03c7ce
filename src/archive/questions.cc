#include "archive/questions.h"

#include <fmt/format.h>

#include "base/text.h"

namespace cc::archive {
namespace {

#define CC_MILLISECONDS(time) "(extract(epoch FROM " time ") * 1000)::bigint"
#define CC_RELEASE_COLUMNS                                                                             \
  "id, key, version, revision, deleted, format, size, md5, sha256, author, comment, " CC_MILLISECONDS( \
      "time") ", coalesce(rolled_back_from, 0), secret"
#define CC_AUDIT_COLUMNS  \
  "id, " CC_MILLISECONDS( \
      "time") ", actor, address, request_id, action, target, outcome, message, before, after, revision, count"

Wall wall(std::int64_t milliseconds) {
  return Wall(std::chrono::milliseconds(milliseconds));
}
std::string milliseconds(Wall time) {
  return std::to_string(time.time_since_epoch().count());
}

ReleaseInfo info_of(const pqxx::row& row) {
  ReleaseInfo info{.key = row[1].as<std::string>(),
                   .version = row[2].as<Version>(),
                   .revision = row[3].as<Revision>(),
                   .deleted = row[4].as<bool>(),
                   .format = parse_format(row[5].as<std::string>()).value_or(Format::text),
                   .size = row[6].as<std::uint64_t>(),
                   .md5 = row[7].as<std::string>(),
                   .sha256 = row[8].as<std::string>(),
                   .author = row[9].as<std::string>(),
                   .comment = row[10].as<std::string>(),
                   .time = wall(row[11].as<std::int64_t>())};
  info.secret = row[13].as<bool>();
  if (const auto from = row[12].as<Version>(); from != 0) info.rolled_back_from = from;
  return info;
}

std::string from_hex(std::string_view text) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
  return bytes;
}

// With the content in column 14, in hexadecimal.
ReleasePtr release_of(const pqxx::row& row) {
  const ReleaseInfo info = info_of(row);
  auto release = std::make_shared<Release>();
  release->key = ConfigKey::of(parts_of(info.key));
  release->key_text = info.key;
  release->version = info.version;
  release->revision = info.revision;
  release->deleted = info.deleted;
  release->format = info.format;
  release->secret = info.secret;
  release->md5 = info.md5;
  release->sha256 = info.sha256;
  release->author = info.author;
  release->comment = info.comment;
  release->time = info.time;
  if (info.rolled_back_from) release->rolled_back_from = std::to_string(*info.rolled_back_from);
  release->etag = fmt::format("\"{}\"", info.revision);
  release->content = from_hex(row[14].c_str());
  return release;
}

AuditRecord record_of(const pqxx::row& row) {
  return {.id = row[0].as<std::uint64_t>(),
          .time = wall(row[1].as<std::int64_t>()),
          .actor = row[2].as<std::string>(),
          .address = row[3].as<std::string>(),
          .request_id = row[4].as<std::string>(),
          .action = row[5].as<std::string>(),
          .target = row[6].as<std::string>(),
          .outcome = row[7].as<std::string>(),
          .message = row[8].as<std::string>(),
          .before = row[9].as<std::string>(),
          .after = row[10].as<std::string>(),
          .revision = row[11].as<Revision>(),
          .count = row[12].as<std::uint64_t>()};
}

// For LIKE: nothing in it stands for anything else.
std::string literally(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

}  // namespace

std::vector<Numbered<ReleaseInfo>> ask_history(Connection& connection, const std::string& key, std::uint64_t before,
                                               std::size_t at_most) {
  std::vector<Numbered<ReleaseInfo>> found;
  for (const auto& row :
       connection.run("SELECT " CC_RELEASE_COLUMNS " FROM release WHERE key = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                      {key, std::to_string(before), std::to_string(at_most)}))
    found.push_back({.id = row[0].as<std::uint64_t>(), .item = info_of(row)});
  return found;
}

std::vector<AuditRecord> ask_audit(Connection& connection, const state::AuditFilter& filter, std::uint64_t before,
                                   std::size_t at_most) {
  std::string where = "id < $1";
  Values values{std::to_string(before)};
  const auto add = [&](std::string_view condition, std::string value) {
    values.push_back(std::move(value));
    where += fmt::format(" AND {} ${}", condition, values.size());
  };
  if (!filter.actor.empty()) add("actor =", filter.actor);
  if (!filter.action.empty()) add("action =", filter.action);
  if (!filter.outcome.empty()) add("outcome =", filter.outcome);
  if (!filter.target_prefix.empty()) add("target LIKE", literally(filter.target_prefix) + "%");
  const auto add_time = [&](std::string_view condition, Wall time) {
    add(condition, milliseconds(time));
    where += "::bigint * interval '1 millisecond' + 'epoch'::timestamptz";
  };
  if (filter.from) add_time("time >=", *filter.from);
  if (filter.to) add_time("time <", *filter.to);
  values.push_back(std::to_string(at_most));
  std::vector<AuditRecord> found;
  for (const auto& row :
       connection.run(fmt::format("SELECT " CC_AUDIT_COLUMNS " FROM audit WHERE {} ORDER BY id DESC LIMIT ${}", where,
                                  values.size()),
                      values))
    found.push_back(record_of(row));
  return found;
}

ReleasePtr ask_release(Connection& connection, const ConfigKey& key, Version version) {
  const auto rows =
      connection.run("SELECT " CC_RELEASE_COLUMNS
                     ", encode(content, 'hex') FROM release WHERE key = $1 AND version = $2 AND NOT deleted",
                     {key.to_string(), std::to_string(version)});
  return rows.empty() ? nullptr : release_of(rows[0]);
}

std::vector<state::FeedRelease> ask_releases(Connection& connection, std::uint64_t after, std::uint64_t until) {
  std::vector<state::FeedRelease> found;
  for (const auto& row : connection.run("SELECT " CC_RELEASE_COLUMNS
                                        ", encode(content, 'hex') FROM release WHERE id > $1 AND id <= $2 ORDER BY id",
                                        {std::to_string(after), std::to_string(until)}))
    found.push_back({.id = row[0].as<std::uint64_t>(), .release = release_of(row)});
  return found;
}

std::vector<AuditRecord> ask_audits(Connection& connection, std::uint64_t after, std::uint64_t until) {
  std::vector<AuditRecord> found;
  for (const auto& row :
       connection.run("SELECT " CC_AUDIT_COLUMNS " FROM audit WHERE id > $1 AND id <= $2 ORDER BY id, time",
                      {std::to_string(after), std::to_string(until)}))
    found.push_back(record_of(row));
  return found;
}

}  // namespace cc::archive
