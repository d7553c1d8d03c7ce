// Publishing, deleting, rolling back.
#include <algorithm>
#include <set>
#include <vector>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "base/bytes.h"
#include "state/applying.h"
#include "state/drafts.h"
#include "state/releases.h"

namespace cc::state {
namespace {

// One config of a publish after it was found to be in order.
struct Planned {
  std::optional<Current> before;
  Release release;
  bool from_draft = false;
  bool unchanged = false;
};

std::string describe(const Release& release) {
  return fmt::format(
      FMT_COMPILE(R"({{"version":{},"revision":{},"format":"{}","size":{},"md5":"{}","sha256":"{}"{}{}}})"),
      release.version, release.revision, to_string(release.format), release.content.size(), release.md5, release.sha256,
      release.secret ? R"(,"secret":true)" : "",
      release.rolled_back_from.empty() ? "" : fmt::format(R"(,"rolled_back_from":{})", release.rolled_back_from));
}

void audit_release(Applying& at, const std::string& action, const std::optional<Current>& before) {
  const Release& release = *at.tip.changes.events.back().release;
  at.audit_change(action, release.key_text, describe(before), release.deleted ? "" : describe(release));
}

Result<> fill_from_draft(Applying& at, const std::string& key, const log::PublishConfigs::One& one, Release& release) {
  auto draft = find_draft(at.db, key);
  if (!draft) return fail(Code::not_found, fmt::format("there is no draft of {}: save one, or send the content", key));
  if (one.has_expected_draft()) TRYV(check_expected(one.expected_draft(), "the draft of", key, draft->revision));
  // The same bytes may be good YAML and no JSON.
  if (one.md5() != draft->md5 || one.format() != to_string(draft->format)) {
    return fail(Code::conflict,
                fmt::format("the draft of {} was saved again meanwhile: look at it, then publish", key));
  }
  release.format = draft->format;
  release.content = std::move(draft->content);
  release.md5 = std::move(draft->md5);
  release.sha256 = sha256_hex(release.content);
  return {};
}

// `planned.release` names the config.
Result<> plan(Applying& at, const log::PublishConfigs& what, const log::PublishConfigs::One& one, Planned& planned) {
  Release& release = planned.release;
  release.comment = what.comment();
  const std::string& key = release.key_text;
  planned.before = find_current(at, key);
  if (!published(planned.before)) TRYV(require_environment(at, release.key.environment));
  if (one.has_expected()) {
    TRYV(check_expected(one.expected(), "config", key, published(planned.before) ? planned.before->revision : 0));
  }
  if (one.from_draft()) {
    planned.from_draft = true;
    TRYV(fill_from_draft(at, key, one, release));
  } else {
    TRY(release.format, parse_format(one.format()));
    release.content = one.content();
    release.md5 = one.md5().empty() ? md5_hex(one.content()) : one.md5();
    release.sha256 = one.sha256().empty() ? sha256_hex(one.content()) : one.sha256();
  }
  release.secret = one.has_secret() ? one.secret() : planned.before && planned.before->secret;
  planned.unchanged = what.skip_unchanged() && published(planned.before) && planned.before->sha256 == release.sha256 &&
                      planned.before->format == to_string(release.format) && planned.before->secret == release.secret;
  return {};
}

// The place that holds all configs of a publish: the key itself when it is one.
std::string common_place(const std::vector<Planned>& all) {
  if (all.empty()) return "";
  std::string common = all.front().release.key_text;
  for (const Planned& each : all) {
    const std::string& key = each.release.key_text;
    if (key == common) continue;
    const auto [end, unused] = std::ranges::mismatch(common, key);
    common.resize(static_cast<std::size_t>(end - common.begin()));
    common.resize(common.rfind('/') == std::string::npos ? 0 : common.rfind('/') + 1);
  }
  return common;
}

void tell_unchanged(Applying& at, const std::string& key, const Current& current) {
  log::Published& published = *at.outcome.add_published();
  published.set_key(key);
  published.set_version(current.version);
  published.set_revision(current.revision);
  published.set_md5(current.md5);
  published.set_sha256(current.sha256);
  published.set_format(current.format);
  published.set_size(current.size);
  published.set_unchanged(true);
}

Result<Current> require_published(Applying& at, const std::string& key) {
  auto current = find_current(at, key);
  if (!current) return fail(Code::not_found, fmt::format("there is no config {}", key));
  if (current->deleted) {
    return fail(Code::not_found, fmt::format("config {} was deleted, at revision {}", key, current->revision));
  }
  return *std::move(current);
}

}  // namespace

Result<> apply(Applying& at, const log::PublishConfigs& what) {
  const std::string action = what.action().empty() ? "config.publish" : what.action();
  std::vector<Planned> all;
  std::set<std::string> keys;
  all.reserve(static_cast<std::size_t>(what.configs_size()));
  for (const auto& one : what.configs()) {
    Planned& planned = all.emplace_back();
    planned.release = release_of(one.key());
    const std::string& key = planned.release.key_text;
    at.about(action, key);
    if (what.configs_size() > 1 && !keys.insert(key).second)
      return fail(Code::invalid_argument, fmt::format("config {} is given twice", key));
    TRYV(plan(at, what, one, planned));
  }

  at.about(action, common_place(all));
  for (Planned& planned : all) {
    const ConfigKey& key = planned.release.key;
    if (planned.unchanged) {
      tell_unchanged(at, planned.release.key_text, *planned.before);
    } else {
      if (!published(planned.before)) {
        make_place(at, key.environment, key.application, key.cluster);
        at.outcome.set_created(true);
      }
      if (planned.from_draft) at.db.run("DELETE FROM draft WHERE key = ?", planned.release.key_text);
      add_release(at, planned.before, std::move(planned.release));
      audit_release(at, action, planned.before);
    }
  }
  if (!at.changed()) at.audit_unchanged();
  return {};
}

Result<> apply(Applying& at, const log::DeleteConfig& what) {
  Release tombstone = release_of(what.key());
  tombstone.deleted = true;
  const std::string key = tombstone.key_text;
  at.about("config.delete", key);
  auto current = require_published(at, key);
  if (!current) return fail(std::move(current).error());
  if (what.has_expected()) TRYV(check_expected(what.expected(), "config", key, current->revision));
  tombstone.format = parse_format(current->format).value_or(Format::text);
  tombstone.secret = current->secret;
  tombstone.comment = what.comment();
  const std::optional<Current> before = *std::move(current);
  add_release(at, before, std::move(tombstone));
  audit_release(at, "config.delete", before);
  return {};
}

Result<> apply(Applying& at, const log::RollBackConfig& what) {
  Release release = release_of(what.key());
  const std::string key = release.key_text;
  at.about("config.rollback", key);
  const auto before = find_current(at, key);
  if (!before) return fail(Code::not_found, fmt::format("there is no config {}", key));
  TRYV(require_environment(at, release.key.environment));
  if (what.has_expected())
    TRYV(check_expected(what.expected(), "config", key, published(before) ? before->revision : 0));
  {
    Rows rows =
        at.db.ask("SELECT " CC_RELEASE_COLUMNS " FROM release r WHERE r.config = ? AND r.version = ? AND r.deleted = 0",
                  before->number, what.to_version());
    if (rows.next()) {
      const ReleasePtr old = read_release(rows, 0, key);
      release.format = old->format;
      release.secret = old->secret;
      release.content = old->content;
      release.md5 = old->md5;
      release.sha256 = old->sha256;
    } else if (what.has_archived()) {
      TRY(release.format, parse_format(what.archived().format()));
      release.secret = what.archived().secret();
      release.content = what.archived().content();
      release.md5 = what.archived().md5();
      release.sha256 = what.archived().sha256();
    } else {
      return fail(Code::not_found, fmt::format("config {} has no version {}; its newest is {}", key, what.to_version(),
                                               before->version));
    }
  }
  // What was secret once does not come out by going back, nor does a secret config cease to be one.
  release.secret = release.secret || before->secret;
  release.comment = what.comment();
  release.rolled_back_from = std::to_string(what.to_version());
  at.outcome.set_created(!published(before));
  if (!published(before)) make_place(at, release.key.environment, release.key.application, release.key.cluster);
  add_release(at, before, std::move(release));
  audit_release(at, "config.rollback", before);
  return {};
}

}  // namespace cc::state
