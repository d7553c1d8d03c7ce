#include "service/releases.h"

#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "service/change.h"
#include "service/content.h"
#include "service/on_worker.h"

namespace cc::service {
namespace {

Result<std::string> content_of(const state::Queries& queries, const ConfigKey& key, const ReleasePtr& published,
                               Side side) {
  switch (side.kind) {
    case Side::Kind::draft: {
      TRY(Draft draft, queries.draft(key));
      return std::move(draft.content);
    }
    case Side::Kind::published:
      return published && !published->deleted ? published->content : std::string();
    case Side::Kind::version: {
      TRY(const ReleasePtr release, queries.release(key, side.version));
      return release->content;
    }
  }
  std::unreachable();
}

}  // namespace

Result<Side> Side::parse(std::string_view text) {
  if (text == "draft") return Side{.kind = Kind::draft};
  if (text == "published") return Side{.kind = Kind::published};
  const auto version = parse_uint(text, "a version");
  if (!version || *version == 0) {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\" names nothing to compare: give a version, draft or published", text));
  }
  return Side{.kind = Kind::version, .version = *version};
}

std::string Side::to_string() const {
  switch (kind) {
    case Kind::draft:
      return "draft";
    case Kind::published:
      return "published";
    case Kind::version:
      return fmt::format("{}", version);
  }
  std::unreachable();
}

Task<Result<state::Page<ReleaseInfo>>> history(Context& context, const Call& call, const ConfigKey& key,
                                               state::PageRequest page) {
  CO_TRYV(authorise(context, call, Permission::read, "config.history", key));
  co_return co_await ask(context, call, Work::question,
                         [&](const state::Queries& queries) { return queries.history(key, page); });
}

Task<Result<Sides>> contents(Context& context, const Call& call, const ConfigKey& key, Side before, Side after) {
  CO_TRYV(authorise(context, call, Permission::read, "config.diff", key));
  if (before.kind == Side::Kind::draft || after.kind == Side::Kind::draft) {
    CO_TRYV(authorise(context, call, Permission::read_draft, "config.diff", key));
  }
  const ReleasePtr published = context.view.find(key.to_string());
  co_return co_await ask(context, call, Work::question, [&](const state::Queries& queries) -> Result<Sides> {
    TRY(std::string first, content_of(queries, key, published, before));
    TRY(std::string second, content_of(queries, key, published, after));
    return Sides{.before = std::move(first), .after = std::move(second)};
  });
}

Task<Result<Change>> roll_back(Context& context, const Call& call, const ConfigKey& key, Version to,
                               std::string comment, std::optional<Expected> expected) {
  CO_TRYV(authorise(context, call, Permission::publish, "config.rollback", key));
  CO_TRYV(check_text(context.limits, comment, "comment"));
  log::Command command;
  log::RollBackConfig& rolling = *command.mutable_roll_back_config();
  put(key, *rolling.mutable_key());
  rolling.set_to_version(to);
  rolling.set_comment(std::move(comment));
  if (expected) put(*expected, *rolling.mutable_expected());
  CO_TRY(log::Outcome outcome, co_await propose(context, call, std::move(command)));
  co_return change_of(std::move(outcome));
}

}  // namespace cc::service
