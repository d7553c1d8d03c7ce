// Who showed which credential, remembered by one I/O thread, so that a request costs no HMAC and no JSON when its
// credential has been seen before. Not thread-safe: each I/O thread has its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"
#include "identity/directory.h"
#include "service/rates.h"

namespace cc::service {

// One credential, shown from one address. Shared by all calls made with it. Outlived by the Sessions it is of.
class Session {
 public:
  Session(std::string_view authorization, std::string_view address, const identity::RevokedTokens& revoked_since)
      : authorization_(authorization), address_(address), revoked_since_(revoked_since) {}

  // Who that is: believed while the directory is the same and the credential has not expired, else looked up again.
  const Result<identity::CallerPtr>& caller(const identity::DirectoryPtr& directory, Wall now);

  // exhausted when the caller, or whoever asks from there, has asked too often lately. Once for each request.
  Result<> admit(const Clock& clock) const {
    if (rate_of_address_) TRYV(rate_of_address_->admit(clock.now()));
    if (rate_of_user_) TRYV(rate_of_user_->admit(clock.now()));
    return {};
  }

  // What waits on behalf of the caller registers how it is woken: when the session has ended or may do other things
  // than before, and when the node stops. Waking must not destroy what waits, or add to it: it posts.
  void add_wait(const std::function<void()>& wake) { waits_.insert(&wake); }
  void remove_wait(const std::function<void()>& wake) { waits_.erase(&wake); }
  std::size_t waits() const { return waits_.size(); }

 private:
  friend class Sessions;
  void limit(Rates& rates);
  Result<identity::CallerPtr> find_caller(const identity::Directory& directory, Wall now);
  void wake() const;

  std::string authorization_, address_;
  const identity::RevokedTokens& revoked_since_;
  std::optional<identity::Credential> credential_;  // once it has been read
  identity::DirectoryPtr directory_;  // what `caller_` was found in; held, so that its address is not used again
  Result<identity::CallerPtr> caller_;
  RatePtr rate_of_user_, rate_of_address_;  // null: unlimited
  std::set<const std::function<void()>*> waits_;
};
using SessionPtr = std::shared_ptr<Session>;

class Sessions {
 public:
  explicit Sessions(std::size_t remember_at_most = 1024)
      : remember_at_most_(remember_at_most), forget_at_(remember_at_most), forget_revoked_at_(remember_at_most) {}

  // Holds those that are opened from now on to it; it outlives this.
  void limit(Rates& rates) { rates_ = &rates; }

  // `authorization` and `address` as in Directory::authenticate, whose error it answers.
  Result<SessionPtr> open(const identity::DirectoryPtr& directory, std::string_view authorization,
                          std::string_view address, Wall now);
  // exhausted when whoever asks from there, as nobody that is known, has asked too often lately.
  Result<> admit_stranger(std::string_view address, Mono now) const;

  // For a new directory: finds out again who everyone is, forgets whom nobody waits for, and wakes what waits for
  // somebody who is no longer believed or may do other things than before.
  void refresh(const identity::DirectoryPtr& directory, Wall now);
  // Ends the sessions of these tokens, whose revocation the directory does not know of, and wakes what waits in them.
  void revoke(const identity::RevokedTokens& tokens, Wall now);
  void wake_all() const;  // when the node stops

  std::size_t size() const { return sessions_.size(); }

 private:
  struct Shown {
    std::string_view authorization, address;
    bool operator==(const Shown&) const = default;
  };
  struct HashShown {
    std::size_t operator()(const Shown& shown) const noexcept;
  };
  void forget_unused();

  std::unordered_map<Shown, SessionPtr, HashShown> sessions_;  // keys point into their values
  identity::RevokedTokens revoked_since_;                      // the directory was made
  Rates* rates_ = nullptr;                                     // null: nobody is limited
  std::size_t remember_at_most_;
  // At so many, those that are of no use are forgotten.
  std::size_t forget_at_, forget_revoked_at_;
};

}  // namespace cc::service
