#include "service/sessions.h"

#include <algorithm>
#include <utility>

namespace cc::service {
namespace {

bool may_the_same(const Result<identity::CallerPtr>& before, const Result<identity::CallerPtr>& after) {
  if (!before || !after) return before.has_value() == after.has_value();
  // Departments that are equal are the same object: make_directory() shares them.
  return (*before)->grants == (*after)->grants && (*before)->departments == (*after)->departments;
}

}  // namespace

const Result<identity::CallerPtr>& Session::caller(const identity::DirectoryPtr& directory, Wall now) {
  const bool expired = caller_ && *caller_ && (*caller_)->expires != Wall{} && now >= (*caller_)->expires;
  if (directory_ != directory || expired) {
    caller_ = find_caller(*directory, now);
    directory_ = directory;
  }
  return caller_;
}

Result<identity::CallerPtr> Session::find_caller(const identity::Directory& directory, Wall now) {
  if (!credential_) {
    TRY(credential_, directory.read(authorization_, now));
  }
  return directory.find_caller(*credential_, address_, now, revoked_since_);
}

// Whoever the caller is later, it is the same user or key.
void Session::limit(Rates& rates) {
  rate_of_address_ = rates.of_address(address_);
  if (caller_ && *caller_ && (*caller_)->kind != identity::Caller::Kind::anonymous)
    rate_of_user_ = rates.of_user((*caller_)->name);
}

void Session::wake() const {
  for (const auto* wake : waits_)
    (*wake)();
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
    known->second->wake();
    sessions_.erase(known);
    return fail(std::move(refused));
  }
  auto session = std::make_shared<Session>(authorization, address, revoked_since_);
  if (const auto& caller = session->caller(directory, now); !caller) return fail(caller.error());
  if (rates_ != nullptr) session->limit(*rates_);
  if (sessions_.size() >= forget_at_) forget_unused();
  sessions_.emplace(Shown{session->authorization_, session->address_}, session);
  return session;
}

Result<> Sessions::admit_stranger(std::string_view address, Mono now) const {
  const RatePtr rate = rates_ != nullptr ? rates_->of_address(address) : nullptr;
  return rate ? rate->admit(now) : Result<>();
}

void Sessions::refresh(const identity::DirectoryPtr& directory, Wall now) {
  revoked_since_.clear();
  forget_unused();
  for (const auto& [shown, session] : sessions_) {
    const auto before = session->caller_;
    if (!may_the_same(before, session->caller(directory, now))) session->wake();
  }
}

void Sessions::revoke(const identity::RevokedTokens& tokens, Wall now) {
  if (revoked_since_.size() >= forget_revoked_at_) {
    // What has expired is refused without being remembered.
    std::erase_if(revoked_since_, [&](const auto& token) { return token.second <= now; });
    forget_revoked_at_ = std::max(remember_at_most_, 2 * revoked_since_.size());
  }
  revoked_since_.insert(tokens.begin(), tokens.end());
  for (const auto& [shown, session] : sessions_) {
    const auto& caller = session->caller_;
    if (!caller || !tokens.contains((*caller)->token_id)) continue;
    session->directory_.reset();  // finds out again
    session->wake();
  }
}

void Sessions::wake_all() const {
  for (const auto& [shown, session] : sessions_)
    session->wake();
}

void Sessions::forget_unused() {
  std::erase_if(sessions_, [](const auto& item) { return item.second.use_count() == 1; });
  // The rest is in use: look again only when there are twice as many.
  forget_at_ = std::max(remember_at_most_, 2 * sessions_.size());
}

}  // namespace cc::service
