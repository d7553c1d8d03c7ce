#include "state/releases.h"

#include <fmt/compile.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "base/bytes.h"
#include "base/text.h"
#include "state/describe.h"

namespace cc::state {

std::optional<Current> find_current(Applying& at, const std::string& key) {
  if (const Current* known = at.tip.configs.find(key)) return *known;
  Rows rows = at.db.ask(
      "SELECT c.number, c.version, c.deleted, r.revision, r.format, r.md5, r.sha256, r.size, r.secret FROM config c "
      "JOIN release r ON r.id = c.release WHERE c.key = ?",
      key);
  if (!rows.next()) return std::nullopt;
  Current current{.number = rows.number(0),
                  .version = rows.number(1),
                  .revision = rows.number(3),
                  .deleted = rows.flag(2),
                  .secret = rows.flag(8),
                  .format = rows.text(4),
                  .md5 = rows.text(5),
                  .sha256 = rows.text(6),
                  .size = rows.number(7)};
  at.tip.configs.put(key, current);
  return current;
}

ReleasePtr read_release(const Rows& rows, int first, std::string key) {
  auto release = std::make_shared<Release>();
  release->key = ConfigKey::of(parts_of(key));
  release->key_text = std::move(key);
  release->version = rows.number(first);
  release->revision = rows.number(first + 1);
  release->deleted = rows.flag(first + 2);
  release->format = parse_format(rows.view(first + 3)).value_or(Format::text);
  release->secret = rows.flag(first + 4);
  release->md5 = rows.text(first + 5);
  release->sha256 = rows.text(first + 6);
  release->author = rows.text(first + 7);
  release->comment = rows.text(first + 8);
  release->time = rows.time(first + 9);
  release->rolled_back_from = rows.text(first + 10);
  release->content = rows.text(first + 11);
  release->etag = fmt::format(FMT_COMPILE("\"{}\""), release->revision);
  // SQLite notices damage to its own structure only.
  if (!release->deleted && sha256_hex(release->content) != release->sha256) {
    throw SQLite::Exception(
        fmt::format("the content of {} version {} is not what was published", release->key_text, release->version),
        SQLITE_CORRUPT);
  }
  return release;
}

Release release_of(const log::Key& key) {
  Release release{.key = key_of(key)};
  release.key_text = release.key.to_string();
  return release;
}

void add_release(Applying& at, const std::optional<Current>& before, Release release) {
  const std::uint64_t id = ++at.tip.last_release;
  const std::uint64_t config = before ? before->number : id;
  const Version last = before ? before->version : 0;
  release.version = release.deleted ? last : last + 1;
  release.revision = at.revision();
  release.etag = fmt::format(FMT_COMPILE("\"{}\""), release.revision);
  release.author = at.command.actor();
  release.time = at.now();

  const std::string format(to_string(release.format));
  std::optional<std::int64_t> from;
  if (const auto version = parse_uint(release.rolled_back_from, "version")) from = static_cast<std::int64_t>(*version);
  at.db.run("INSERT INTO release VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", id, config, release.version,
            release.revision, release.deleted, format, release.secret, release.md5, release.sha256, release.author,
            release.comment, milliseconds(release.time), from, release.content.size(), Blob{release.content});
  if (before) {
    at.db.run("UPDATE config SET version = ?, deleted = ?, release = ? WHERE key = ?", release.version, release.deleted,
              id, release.key_text);
  } else {
    at.db.run("INSERT INTO config VALUES (?, ?, ?, ?, ?)", release.key_text, config, release.version, release.deleted,
              id);
  }

  if (release.version > at.options.keep_versions) {
    at.db.run("DELETE FROM release WHERE config = ? AND version <= ? AND id <= ?", config,
              release.version - at.options.keep_versions, at.tip.archived.forgettable_release());
  }

  at.tip.configs.put(release.key_text, {.number = config,
                                        .version = release.version,
                                        .revision = release.revision,
                                        .deleted = release.deleted,
                                        .secret = release.secret,
                                        .format = format,
                                        .md5 = release.md5,
                                        .sha256 = release.sha256,
                                        .size = release.content.size()});

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
  return fmt::format(
      FMT_COMPILE(R"({{"version":{},"revision":{},"format":"{}","size":{},"md5":"{}","sha256":"{}"{}}})"),
      current->version, current->revision, current->format, current->size, current->md5, current->sha256,
      current->secret ? R"(,"secret":true)" : "");
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
