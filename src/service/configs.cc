#include "service/configs.h"

#include <utility>

#include <fmt/format.h>

#include "service/change.h"
#include "service/content.h"
#include "service/on_worker.h"

namespace cc::service {
namespace {

// The config's own format while it is published, then the name's.
Format format_of(const Context& context, const ConfigKey& key) {
  const ReleasePtr published = context.view.find(key.to_string());
  return published && !published->deleted ? published->format : format_of_name(key.name);
}

}  // namespace

state::Visible visible_to(const Call& call, Permission permission) {
  return [caller = call.caller, permission](const ConfigKey& key) {
    return caller->may(permission, key.environment, key.application);
  };
}

Result<ReleasePtr> read_config(Context& context, const Call& call, const ConfigKey& key) {
  TRYV(authorise(context, call, Permission::read, "config.read", key));
  ReleasePtr release = context.view.find(key.to_string());
  if (release && !release->deleted) context.reads->add(release->key.environment);
  return release;
}

Task<Result<Answer<ReleasePtr>>> read_release(Context& context, const Call& call, const ConfigKey& key,
                                              Version version) {
  CO_TRYV(authorise(context, call, Permission::read, "release.read", key));
  ReleasePtr published = context.view.find(key.to_string());
  if (published && !published->deleted && published->version == version)
    co_return Answer<ReleasePtr>{.value = std::move(published)};
  co_return co_await ask_past(context, call, Work::question,
                              [&](const Past& past) { return past.release(key, version); });
}

Task<Result<Change>> publish(Context& context, const Call& call, NewRelease release) {
  const ConfigKey& key = release.key;
  CO_TRYV(authorise(context, call, Permission::publish, "config.publish", key));
  CO_TRYV(check_text(context.limits, release.comment, "comment"));
  CO_TRYV(check_size(context.limits, release.content, key.name));
  const Format format = release.format ? *release.format : format_of(context, key);
  CO_TRY(Sums sums, co_await check_content_somewhere(context, call, format, release.content, key.name));

  log::Command command;
  log::PublishConfigs& publishing = *command.mutable_publish_configs();
  publishing.set_comment(std::move(release.comment));
  publishing.set_action("config.publish");
  auto& one = *publishing.add_configs();
  put(key, *one.mutable_key());
  one.set_format(std::string(to_string(format)));
  one.set_format_given(release.format.has_value());
  one.set_content(std::move(release.content));
  one.set_md5(std::move(sums.md5));
  one.set_sha256(std::move(sums.sha256));
  if (release.secret) one.set_secret(*release.secret);
  if (release.expected) put(*release.expected, *one.mutable_expected());
  CO_TRY(log::Outcome outcome, co_await propose(context, call, std::move(command)));
  co_return change_of(std::move(outcome));
}

Task<Result<Change>> publish_draft(Context& context, const Call& call, DraftToPublish wanted) {
  const ConfigKey& key = wanted.key;
  CO_TRYV(authorise(context, call, Permission::publish, "config.publish", key));
  CO_TRYV(check_text(context.limits, wanted.comment, "comment"));
  // A repetition finds the draft gone; the log knows the first outcome, so what was not checked is not published.
  auto draft =
      co_await ask(context, call, Work::question, [&](const state::Queries& queries) { return queries.draft(key); });
  Format format = Format::text;
  Sums sums;
  if (draft) {
    format = draft->format;
    CO_TRY(sums, co_await check_content_somewhere(context, call, format, draft->content, key.name));
  } else if (draft.error().code != Code::not_found) {
    co_return fail(std::move(draft).error());
  }

  log::Command command;
  log::PublishConfigs& publishing = *command.mutable_publish_configs();
  publishing.set_comment(std::move(wanted.comment));
  publishing.set_action("config.publish");
  auto& one = *publishing.add_configs();
  put(key, *one.mutable_key());
  one.set_from_draft(true);
  one.set_format(std::string(to_string(format)));
  one.set_md5(draft ? std::move(sums.md5) : std::string("no draft"));
  one.set_sha256(std::move(sums.sha256));
  if (wanted.secret) one.set_secret(*wanted.secret);
  if (wanted.expected) put(*wanted.expected, *one.mutable_expected());
  if (wanted.expected_draft) put(*wanted.expected_draft, *one.mutable_expected_draft());
  CO_TRY(log::Outcome outcome, co_await propose(context, call, std::move(command)));
  co_return change_of(std::move(outcome));
}

Task<Result<Change>> delete_config(Context& context, const Call& call, const ConfigKey& key, std::string comment,
                                   std::optional<Expected> expected) {
  CO_TRYV(authorise(context, call, Permission::remove, "config.delete", key));
  CO_TRYV(check_text(context.limits, comment, "comment"));
  log::Command command;
  log::DeleteConfig& deleting = *command.mutable_delete_config();
  put(key, *deleting.mutable_key());
  deleting.set_comment(std::move(comment));
  if (expected) put(*expected, *deleting.mutable_expected());
  CO_TRY(log::Outcome outcome, co_await propose(context, call, std::move(command)));
  co_return change_of(std::move(outcome));
}

Task<Result<state::Page<ReleaseInfo>>> list_configs(Context& context, const Call& call, state::ConfigFilter filter,
                                                    state::PageRequest page) {
  CO_TRYV(authorise_somewhere(context, call, Permission::read, "config.list", filter.environment, filter.application));
  co_return co_await ask(context, call, Work::search, [&](const state::Queries& queries) {
    return queries.configs(filter, page, visible_to(call, Permission::read));
  });
}

}  // namespace cc::service
