#include "service/sessions.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace cc::service {

const Result<identity::CallerPtr>& Session::caller(const identity::DirectoryPtr& directory, Wall now) {
  const bool expired = caller_ && *caller_ && (*caller_)->expires != Wall{} && now >= (*caller_)->expires;
  if (directory_ != directory || expired) {
    caller_ = directory->authenticate(authorization_, address_, now);
    directory_ = directory;
  }
  return caller_;
}

std::size_t Sessions::HashShown::operator()(const Shown& shown) const noexcept {
  const std::hash<std::string_view> hash;
  return hash(shown.authorization) * 31 + hash(shown.address);
}

Result<SessionPtr> Sessions::open(const identity::DirectoryPtr& directory, std::string_view authorization,
                                  std::string_view address, Wall now) {
  if (const auto known = sessions_.find(Shown{authorization, address}); known != sessions_.end()) {
    const auto& caller = known->second->caller(directory, now);
    if (caller) return known->second;
    Error refused = caller.error();
    sessions_.erase(known);
    return fail(std::move(refused));
  }
  auto session = std::make_shared<Session>(authorization, address);
  if (const auto& caller = session->caller(directory, now); !caller) return fail(caller.error());
  if (sessions_.size() >= remember_at_most_) forget_unused();
  sessions_.emplace(Shown{session->authorization_, session->address_}, session);
  return session;
}

bool Sessions::refresh(const identity::DirectoryPtr& directory, Wall now) {
  forget_unused();
  bool changed = false;
  for (const auto& [shown, session] : sessions_) {
    const auto before = session->caller_;
    const auto& after = session->caller(directory, now);
    changed = changed || before.has_value() != after.has_value() ||
              (before && ((*before)->grants != (*after)->grants || *(*before)->departments != *(*after)->departments));
  }
  return changed;
}

void Sessions::forget_unused() {
  std::erase_if(sessions_, [](const auto& item) { return item.second.use_count() == 1; });
  // All of them are waited with: look again only when there are twice as many.
  remember_at_most_ = std::max(remember_at_most_, 2 * sessions_.size());
}

}  // namespace cc::service
