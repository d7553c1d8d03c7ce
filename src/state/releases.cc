#include "state/releases.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/bytes.h"
#include "base/text.h"
#include "state/describe.h"

namespace cc::state {

std::optional<Current> find_current(Database& database, const std::string& key) {
  Rows rows = database.ask(
      "SELECT c.number, c.version, c.deleted, r.revision, r.format, r.md5, r.sha256, r.size FROM config c "
      "JOIN release r ON r.id = c.release WHERE c.key = ?",
      key);
  if (!rows.next()) return std::nullopt;
  return Current{.number = rows.number(0),
                 .version = rows.number(1),
                 .revision = rows.number(3),
                 .deleted = rows.flag(2),
                 .format = rows.text(4),
                 .md5 = rows.text(5),
                 .sha256 = rows.text(6),
                 .size = rows.number(7)};
}

ReleasePtr read_release(const Rows& rows, int first, std::string key) {
  auto release = std::make_shared<Release>();
  release->key = ConfigKey::of(parts_of(key));
  release->key_text = std::move(key);
  release->version = rows.number(first);
  release->revision = rows.number(first + 1);
  release->deleted = rows.flag(first + 2);
  release->format = parse_format(rows.view(first + 3)).value_or(Format::text);
  release->md5 = rows.text(first + 4);
  release->sha256 = rows.text(first + 5);
  release->author = rows.text(first + 6);
  release->comment = rows.text(first + 7);
  release->time = rows.time(first + 8);
  release->rolled_back_from = rows.text(first + 9);
  release->content = rows.text(first + 10);
  release->etag = fmt::format("\"{}\"", release->revision);
  // SQLite notices damage to its own structure only.
  if (!release->deleted && sha256_hex(release->content) != release->sha256) {
    throw SQLite::Exception(
        fmt::format("the content of {} version {} is not what was published", release->key_text, release->version),
        SQLITE_CORRUPT);
  }
  return release;
}

void add_release(Applying& at, const std::optional<Current>& before, Release release) {
  const std::uint64_t id = ++at.tip.last_release;
  const std::uint64_t config = before ? before->number : id;
  const Version last = before ? before->version : 0;
  release.key_text = release.key.to_string();
  release.version = release.deleted ? last : last + 1;
  release.revision = at.revision();
  release.etag = fmt::format("\"{}\"", release.revision);
  release.author = at.command.actor();
  release.time = at.now();

  const std::string format(to_string(release.format));
  std::optional<std::int64_t> from;
  if (const auto version = parse_uint(release.rolled_back_from, "version")) from = static_cast<std::int64_t>(*version);
  at.db.run("INSERT INTO release VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", id, config, release.version,
            release.revision, release.deleted, format, release.md5, release.sha256, release.author, release.comment,
            milliseconds(release.time), from, release.content.size(), Blob{release.content});
  if (before) {
    at.db.run("UPDATE config SET version = ?, deleted = ?, release = ? WHERE key = ?", release.version, release.deleted,
              id, release.key_text);
  } else {
    at.db.run("INSERT INTO config VALUES (?, ?, ?, ?, ?)", release.key_text, config, release.version, release.deleted,
              id);
  }

  if (release.version > at.options.keep_versions) {
    at.db.run("DELETE FROM release WHERE config = ? AND version <= ?", config,
              release.version - at.options.keep_versions);
  }

  log::Published& published = *at.outcome.add_published();
  published.set_key(release.key_text);
  published.set_version(release.version);
  published.set_revision(release.revision);
  published.set_md5(release.md5);
  published.set_sha256(release.sha256);
  published.set_format(format);
  published.set_size(release.content.size());
  at.tip.changes.events.push_back(
      {.revision = release.revision, .release = std::make_shared<const Release>(std::move(release))});
}

bool published(const std::optional<Current>& current) {
  return current && !current->deleted;
}

std::string describe(const std::optional<Current>& current) {
  if (!published(current)) return "";
  // Formats and checksums hold nothing to escape.
  return fmt::format(R"({{"version":{},"revision":{},"format":"{}","size":{},"md5":"{}","sha256":"{}"}})",
                     current->version, current->revision, current->format, current->size, current->md5,
                     current->sha256);
}

Result<> check_expected(const log::Expected& expected, std::string_view what, const std::string& key,
                        Revision revision) {
  if (expected.any() ? revision != 0 : expected.revision() == revision) return {};
  if (expected.any()) {
    return fail(Code::conflict, fmt::format("{} {} does not exist, and the change is only for what does", what, key),
                json_text({{"key", key}, {"revision", 0}}));
  }
  const std::string details = json_text({{"key", key}, {"revision", revision}, {"expected", expected.revision()}});
  if (expected.revision() == 0) {
    return fail(Code::conflict, fmt::format("{} {} exists already, at revision {}: read it first", what, key, revision),
                details);
  }
  if (revision == 0) {
    return fail(
        Code::conflict,
        fmt::format("{} {} does not exist (any more), expected was revision {}", what, key, expected.revision()),
        details);
  }
  return fail(
      Code::conflict,
      fmt::format("{} {} was changed meanwhile: it is at revision {}, expected was {}; read it and decide again", what,
                  key, revision, expected.revision()),
      details);
}

}  // namespace cc::state
