// Drafts: saved, discarded.
#include <fmt/format.h>

#include "state/applying.h"
#include "state/drafts.h"
#include "state/releases.h"

namespace cc::state {
namespace {

std::string describe(const std::optional<Draft>& draft) {
  if (!draft) return "";
  return fmt::format(R"({{"revision":{},"base_version":{},"format":"{}","size":{},"md5":"{}"}})", draft->revision,
                     draft->base_version, to_string(draft->format), draft->size, draft->md5);
}

void tell(log::Published& published, const Draft& draft) {
  published.set_key(draft.key);
  published.set_version(draft.base_version);
  published.set_revision(draft.revision);
  published.set_md5(draft.md5);
  published.set_format(std::string(to_string(draft.format)));
  published.set_size(draft.size);
}

}  // namespace

std::optional<Draft> find_draft(Database& database, const std::string& key) {
  Rows rows = database.ask(
      "SELECT format, base_version, revision, md5, author, time, content, size FROM draft WHERE key = ?", key);
  if (!rows.next()) return std::nullopt;
  return Draft{.key = key,
               .format = parse_format(rows.view(0)).value_or(Format::text),
               .content = rows.text(6),
               .size = rows.number(7),
               .base_version = rows.number(1),
               .revision = rows.number(2),
               .md5 = rows.text(3),
               .author = rows.text(4),
               .time = rows.time(5)};
}

Result<> apply(Applying& at, const log::SaveDraft& what) {
  const ConfigKey key = key_of(what.key());
  Draft draft{.key = key.to_string()};
  at.about("draft.save", draft.key);
  TRYV(require_environment(at, key.environment));
  TRY(draft.format, parse_format(what.format()));
  const auto before = find_draft(at.db, draft.key);
  if (what.has_expected())
    TRYV(check_expected(what.expected(), "the draft of", draft.key, before ? before->revision : 0));

  const auto current = find_current(at, draft.key);
  draft.base_version = before ? before->base_version : published(current) ? current->version : 0;
  draft.content = what.content();
  draft.size = draft.content.size();
  draft.revision = at.revision();
  draft.md5 = what.md5();
  draft.author = at.command.actor();
  make_place(at, key.environment, key.application, key.cluster);
  at.db.run(
      "INSERT INTO draft VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET format = excluded.format, "
      "revision = excluded.revision, md5 = excluded.md5, author = excluded.author, time = excluded.time, "
      "size = excluded.size, content = excluded.content",
      draft.key, what.format(), draft.base_version, draft.revision, draft.md5, draft.author, at.command.time_ms(),
      draft.size, Blob{draft.content});
  at.outcome.set_created(!before);
  tell(*at.outcome.add_published(), draft);
  at.audit_change(describe(before), describe(draft));
  return {};
}

Result<> apply(Applying& at, const log::DiscardDraft& what) {
  const std::string key = key_of(what.key()).to_string();
  at.about("draft.discard", key);
  auto before = find_draft(at.db, key);
  if (!before) return fail(Code::not_found, fmt::format("there is no draft of {}", key));
  at.db.run("DELETE FROM draft WHERE key = ?", key);
  at.audit_change(describe(before), "");
  before->revision = at.revision();
  tell(*at.outcome.add_published(), *before);
  return {};
}

}  // namespace cc::state
