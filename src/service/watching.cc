#include "service/watching.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "model/quote.h"

namespace cc::service {
namespace {

// Whether all that it can show lies in one application.
bool is_one_place(const view::Interest& interest) {
  return !interest.prefix || !parts_of(interest.text).application.empty();
}

Result<> check_interest(const view::Interest& interest, const Limits& limits) {
  if (!interest.prefix) {
    TRYV(ConfigKey::parse(interest.text));
  } else if (interest.text.size() > limits.key()) {
    return fail(Code::invalid_argument, fmt::format("the prefix {} is {} bytes long; no config key is longer than {}",
                                                    cc::quoted(interest.text), interest.text.size(), limits.key()));
  }
  return {};
}

}  // namespace

Result<> authorise_watch(Context& context, const Call& call, std::span<const view::Interest> interests) {
  if (interests.empty()) return fail(Code::invalid_argument, "there is nothing to watch: give keys or prefixes");
  if (interests.size() > kMostInterests) {
    return fail(Code::invalid_argument,
                fmt::format("{} items are watched at once; give at most {}, or a prefix instead of many keys",
                            interests.size(), kMostInterests));
  }
  for (const view::Interest& interest : interests) {
    TRYV(check_interest(interest, context.limits));
    const KeyParts place = parts_of(interest.text);
    if (!is_one_place(interest) && call.caller->may_somewhere(Permission::read, place.environment)) continue;
    TRYV(authorise(context, call, Permission::read, "config.watch", interest.text, place.environment,
                   place.application));
  }
  return {};
}

Watch::Watch(Context& context, SessionPtr session, std::vector<view::Interest> interests)
    : context_(context),
      session_(std::move(session)),
      interests_(std::move(interests)),
      timer_(context.io.get_executor()),
      wake_([this] { timer_.cancel(); }) {
  if (const auto& caller = session_->caller(context_.directory, context_.clock.wall()); caller) caller_ = *caller;
  session_->add_wait(wake_);
}

Watch::~Watch() {
  session_->remove_wait(wake_);
}

bool Watch::still_allowed() {
  const auto& caller = session_->caller(context_.directory, context_.clock.wall());
  if (!caller) {
    refused_ = caller.error();
    return false;
  }
  if (*caller == caller_) return true;
  caller_ = *caller;
  for (const view::Interest& interest : interests_) {
    if (!is_one_place(interest)) continue;
    const KeyParts place = parts_of(interest.text);
    if (auto allowed = caller_->require(Permission::read, place.environment, place.application); !allowed) {
      refused_ = std::move(allowed).error();
      return false;
    }
  }
  return true;
}

view::View::Changes Watch::look(std::size_t limit) const {
  return context_.view.changes(interests_, limit, [this](const Release& release) {
    return caller_->may(Permission::read, release.key.environment, release.key.application);
  });
}

bool Watch::must_wait(Mono until) {
  context_.view.forget(waiter_);
  if (!still_allowed() || context_.stopping) return false;
  const auto found = look(1);
  if (!found.releases.empty()) {
    advance(found.releases.front()->revision - 1);  // what was passed over is not looked at again
    return false;
  }
  advance(found.revision);  // all of it is hidden from this caller
  if (found.revision < context_.view.revision()) {
    timer_.expires_after(Mono::duration::zero());
    return true;
  }
  const Mono now = context_.clock.now();
  if (now >= until) return false;
  Mono::duration patience = until - now;
  if (caller_->expires != Wall{}) {
    // Compared in milliseconds: a key may be valid for longer than nanoseconds can count.
    const auto valid = caller_->expires - context_.clock.wall();
    if (valid < std::chrono::floor<std::chrono::milliseconds>(patience)) patience = valid;
  }
  timer_.expires_after(patience);
  context_.view.wait(waiter_, interests_, wake_);
  return true;
}

Watch::Changes Watch::changes(std::size_t limit) {
  auto found = look(limit);
  // A client that has been told more by another node must not go back to what this one knows.
  const Revision seen = std::ranges::min(interests_, {}, &view::Interest::after).after;
  return {.releases = std::move(found.releases), .revision = std::max(found.revision, seen)};
}

void Watch::advance(Revision revision) {
  for (view::Interest& interest : interests_)
    interest.after = std::max(interest.after, revision);
}

}  // namespace cc::service
