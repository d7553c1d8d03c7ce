// Configs, their history, their drafts.
#include <limits>

#include <fmt/format.h>

#include "state/drafts.h"
#include "state/key_range.h"
#include "state/page.h"
#include "state/queries_impl.h"
#include "state/releases.h"

namespace cc::state {
namespace {

constexpr char kByKey = 'k';

#define CC_INFO_COLUMNS \
  "version, revision, deleted, format, size, md5, sha256, author, comment, time, rolled_back_from, secret, id"
constexpr int kIdColumn = 12;

ReleaseInfo read_info(const Rows& rows, std::string key) {
  ReleaseInfo info{.key = std::move(key),
                   .version = rows.number(0),
                   .revision = rows.number(1),
                   .deleted = rows.flag(2),
                   .format = parse_format(rows.view(3)).value_or(Format::text),
                   .secret = rows.flag(11),
                   .size = rows.number(4),
                   .md5 = rows.text(5),
                   .sha256 = rows.text(6),
                   .author = rows.text(7),
                   .comment = rows.text(8),
                   .time = rows.time(9)};
  if (!rows.null(10)) info.rolled_back_from = rows.number(10);
  return info;
}

bool is_visible(const Visible& visible, std::string_view key) {
  return !visible || visible(ConfigKey::of(parts_of(key)));
}

bool content_holds(Database& db, std::uint64_t release, const std::string& text) {
  Rows rows = db.ask("SELECT content FROM release WHERE id = ?", release);
  return rows.next() && rows.view(0).find(text) != std::string_view::npos;
}

const std::string& key_of_item(const auto& item) {
  return item.key;
}

Result<std::uint64_t> number_of_config(Database& db, const ConfigKey& key) {
  Rows rows = db.ask("SELECT number FROM config WHERE key = ?", key.to_string());
  if (!rows.next()) return fail(Code::not_found, fmt::format("there never was a config {}", key.to_string()));
  return rows.number(0);
}

}  // namespace

Result<Page<ReleaseInfo>> Queries::configs(const ConfigFilter& filter, const PageRequest& page,
                                           const Visible& visible) const {
  TRY(const std::string after, begin_page(page, kByKey));
  return ask([&](Database& db) -> Result<Page<ReleaseInfo>> {
    Page<ReleaseInfo> found;
    const auto keys_from = [&](const std::string& key) {
      return db.ask("SELECT key, release FROM config WHERE key >= ? AND deleted = 0 ORDER BY key", key);
    };
    KeyRange(filter).walk(after, keys_from, [&](const Rows& keys) {
      const std::string_view key = keys.view(0);
      if (!is_visible(visible, key)) return true;
      if (filter.in_content && !content_holds(db, keys.number(1), filter.text)) return true;
      Rows info = db.ask("SELECT " CC_INFO_COLUMNS " FROM release WHERE id = ?", keys.number(1));
      return !info.next() ||
             take(found, page.limit, kByKey, read_info(info, std::string(key)), key_of_item<ReleaseInfo>);
    });
    return found;
  });
}

Result<Page<ReleaseInfo>> Queries::history(const ConfigKey& key, const PageRequest& page,
                                           std::uint64_t newer_than) const {
  TRY(const std::uint64_t before, begin_numbered_page(page, kByRelease, std::numeric_limits<std::int64_t>::max()));
  return ask([&](Database& db) -> Result<Page<ReleaseInfo>> {
    TRY(const std::uint64_t config, number_of_config(db, key));
    Page<ReleaseInfo> found;
    std::uint64_t last = 0;
    // Versions and ids grow together; in this order the index answers without sorting.
    Rows rows = db.ask("SELECT " CC_INFO_COLUMNS
                       " FROM release WHERE config = ? AND id < ? AND id > ? ORDER BY version DESC, id DESC",
                       config, before, newer_than);
    while (rows.next()) {
      const auto name = [&](const ReleaseInfo&) { return std::to_string(last); };
      if (!take(found, page.limit, kByRelease, read_info(rows, key.to_string()), name)) break;
      last = rows.number(kIdColumn);
    }
    return found;
  });
}

Result<ReleasePtr> Queries::release(const ConfigKey& key, Version version) const {
  return ask([&](Database& db) -> Result<ReleasePtr> {
    TRY(const std::uint64_t config, number_of_config(db, key));
    Rows rows =
        db.ask("SELECT " CC_RELEASE_COLUMNS " FROM release r WHERE r.config = ? AND r.version = ? AND r.deleted = 0",
               config, version);
    if (!rows.next())
      return fail(Code::not_found, fmt::format("config {} has no version {}", key.to_string(), version));
    return read_release(rows, 0, key.to_string());
  });
}

Result<Draft> Queries::draft(const ConfigKey& key) const {
  return ask([&](Database& db) -> Result<Draft> {
    auto draft = find_draft(db, key.to_string());
    if (!draft) return fail(Code::not_found, fmt::format("there is no draft of {}", key.to_string()));
    return *std::move(draft);
  });
}

Result<Page<Draft>> Queries::drafts(const ConfigFilter& filter, const PageRequest& page, const Visible& visible) const {
  TRY(const std::string after, begin_page(page, kByKey));
  return ask([&](Database& db) -> Result<Page<Draft>> {
    Page<Draft> found;
    const auto drafts_from = [&](const std::string& key) {
      return db.ask(
          "SELECT key, format, base_version, revision, md5, author, time, size, content FROM draft WHERE key >= ? "
          "ORDER BY key",
          key);
    };
    KeyRange(filter).walk(after, drafts_from, [&](const Rows& rows) {
      const std::string_view key = rows.view(0);
      if (!is_visible(visible, key)) return true;
      if (filter.in_content && !rows.view(8).contains(filter.text)) return true;
      Draft draft{.key = std::string(key),
                  .format = parse_format(rows.view(1)).value_or(Format::text),
                  .size = rows.number(7),
                  .base_version = rows.number(2),
                  .revision = rows.number(3),
                  .md5 = rows.text(4),
                  .author = rows.text(5),
                  .time = rows.time(6)};
      return take(found, page.limit, kByKey, std::move(draft), key_of_item<Draft>);
    });
    return found;
  });
}

}  // namespace cc::state
