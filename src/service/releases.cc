#include "service/releases.h"

#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "service/change.h"
#include "service/content.h"
#include "service/past.h"

namespace cc::service {
namespace {

Result<std::string> content_of(const Past& past, const ConfigKey& key, const ReleasePtr& published, Side side) {
  switch (side.kind) {
    case Side::Kind::draft: {
      TRY(Draft draft, past.here().draft(key));
      return std::move(draft.content);
    }
    case Side::Kind::published:
      return published && !published->deleted ? published->content : std::string();
    case Side::Kind::version: {
      TRY(const auto release, past.release(key, side.version));
      return release.value->content;
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

Task<Result<Answer<state::Page<ReleaseInfo>>>> history(Context& context, const Call& call, const ConfigKey& key,
                                                       state::PageRequest page) {
  CO_TRYV(authorise(context, call, Permission::read, "config.history", key));
  co_return co_await ask_past(context, call, Work::question, [&](const Past& past) { return past.history(key, page); });
}

Task<Result<Sides>> contents(Context& context, const Call& call, const ConfigKey& key, Side before, Side after) {
  CO_TRYV(authorise(context, call, Permission::read, "config.diff", key));
  if (before.kind == Side::Kind::draft || after.kind == Side::Kind::draft) {
    CO_TRYV(authorise(context, call, Permission::read_draft, "config.diff", key));
  }
  const ReleasePtr published = context.view.find(key.to_string());
  co_return co_await ask_past(context, call, Work::question, [&](const Past& past) -> Result<Sides> {
    TRY(std::string first, content_of(past, key, published, before));
    TRY(std::string second, content_of(past, key, published, after));
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
  if (context.archive != nullptr) {
    // What nodes have forgotten they take from the command.
    auto old =
        co_await ask_past(context, call, Work::question, [&](const Past& past) { return past.release(key, to); });
    if (old && old->source != archive::Source::node) {
      const Release& release = *old->value;
      log::PublishConfigs::One& archived = *rolling.mutable_archived();
      archived.set_format(std::string(to_string(release.format)));
      archived.set_content(release.content);
      archived.set_md5(release.md5);
      archived.set_sha256(release.sha256);
      archived.set_secret(release.secret);
    }
  }
  CO_TRY(log::Outcome outcome, co_await propose(context, call, std::move(command)));
  co_return change_of(std::move(outcome));
}

}  // namespace cc::service
