// Who showed which credential, remembered by one I/O thread, so that a request costs no HMAC and no JSON when its
// credential has been seen before. Not thread-safe: each I/O thread has its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"
#include "identity/directory.h"

namespace cc::service {

// One credential, shown from one address. Shared by all calls made with it.
class Session {
 public:
  Session(std::string_view authorization, std::string_view address)
      : authorization_(authorization), address_(address) {}

  // Who that is: believed while the directory is the same and the credential has not expired, else found out again.
  const Result<identity::CallerPtr>& caller(const identity::DirectoryPtr& directory, Wall now);

 private:
  friend class Sessions;
  std::string authorization_, address_;
  identity::DirectoryPtr directory_;  // what `caller_` was found in; held, so that its address is not used again
  Result<identity::CallerPtr> caller_;
};
using SessionPtr = std::shared_ptr<Session>;

class Sessions {
 public:
  explicit Sessions(std::size_t remember_at_most = 1024) : remember_at_most_(remember_at_most) {}

  // `authorization` and `address` as in Directory::authenticate, whose error it answers.
  Result<SessionPtr> open(const identity::DirectoryPtr& directory, std::string_view authorization,
                          std::string_view address, Wall now);

  // Finds out again who everyone is, and forgets whom nobody waits for. True when somebody who waits is no longer
  // believed or may do other things than before.
  bool refresh(const identity::DirectoryPtr& directory, Wall now);

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
  std::size_t remember_at_most_;
};

}  // namespace cc::service
