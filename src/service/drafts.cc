#include "service/drafts.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "service/change.h"
#include "service/content.h"
#include "service/on_worker.h"

namespace cc::service {
namespace {

Result<Format> format_of(const state::Queries& queries, const ConfigKey& key, const ReleasePtr& published) {
  auto draft = queries.draft(key);
  if (draft) return draft->format;
  if (draft.error().code != Code::not_found) return fail(std::move(draft).error());
  return published && !published->deleted ? published->format : format_of_name(key.name);
}

}  // namespace

Task<Result<Draft>> read_draft(Context& context, const Call& call, const ConfigKey& key) {
  CO_TRYV(authorise(context, call, Permission::read_draft, "draft.read", key));
  co_return co_await ask(context, call, Work::question,
                         [&](const state::Queries& queries) { return queries.draft(key); });
}

Task<Result<SavedDraft>> save_draft(Context& context, const Call& call, NewDraft draft) {
  const ConfigKey& key = draft.key;
  CO_TRYV(authorise(context, call, Permission::edit_draft, "draft.save", key));
  CO_TRYV(check_size(context.limits, draft.content, key.name));
  if (const auto at = find_invalid_utf8(draft.content); at != std::string::npos) {
    co_return fail(Code::invalid_argument, fmt::format("{} is not UTF-8: see its byte {}", key.name, at));
  }
  const bool format_given = draft.format.has_value();
  if (!format_given) {
    const ReleasePtr published = context.view.find(key.to_string());
    CO_TRY(draft.format, co_await ask(context, call, Work::question, [&](const state::Queries& queries) {
             return format_of(queries, key, published);
           }));
  }
  const auto sums = co_await check_content_somewhere(context, call, *draft.format, draft.content, key.name);
  if (!sums && sums.error().code != Code::invalid_argument) co_return fail(sums.error());
  log::Command command;
  log::SaveDraft& saving = *command.mutable_save_draft();
  put(key, *saving.mutable_key());
  saving.set_format(std::string(to_string(*draft.format)));
  saving.set_format_given(format_given);
  saving.set_md5(sums ? sums->md5 : md5_hex(draft.content));
  saving.set_content(std::move(draft.content));
  if (draft.expected) put(*draft.expected, *saving.mutable_expected());
  std::string md5 = saving.md5();
  CO_TRY(const log::Outcome outcome, co_await propose(context, call, std::move(command)));
  co_return SavedDraft{.key = key.to_string(),
                       .md5 = std::move(md5),
                       .revision = outcome.revision(),
                       .repeated = outcome.repeated_request(),
                       .problem = sums ? std::nullopt : std::optional(sums.error())};
}

Task<Result<SavedDraft>> discard_draft(Context& context, const Call& call, const ConfigKey& key) {
  CO_TRYV(authorise(context, call, Permission::edit_draft, "draft.discard", key));
  log::Command command;
  put(key, *command.mutable_discard_draft()->mutable_key());
  CO_TRY(const log::Outcome outcome, co_await propose(context, call, std::move(command)));
  co_return SavedDraft{
      .key = key.to_string(), .md5 = {}, .revision = outcome.revision(), .repeated = outcome.repeated_request()};
}

Task<Result<state::Page<Draft>>> list_drafts(Context& context, const Call& call, state::ConfigFilter filter,
                                             state::PageRequest page) {
  CO_TRYV(
      authorise_somewhere(context, call, Permission::read_draft, "draft.list", filter.environment, filter.application));
  co_return co_await ask(context, call, Work::search, [&](const state::Queries& queries) {
    return queries.drafts(filter, page, visible_to(call, Permission::read_draft));
  });
}

}  // namespace cc::service
